/** Defines the endpoints for log-ins with an OpenID Connect provider. */
import { z } from "@hono/zod-openapi";
import { literal, literalLine } from "../../../definitions/formats/text.ts";
import { beginOpenidLogin, finishOpenidLogin, openidLabel } from "../../../services/access/openid/login.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { json } from "../../pipeline.ts";
import { clientOf, content, loggedIn } from "./login.ts";

/** The path to which the provider sends browsers back. It must be registered with the provider. */
export const CALLBACK_PATH = "/login/oidc/callback";

const group = "Log-in";

export const openidEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/login/methods",
    operationId: "showLoginMethods",
    group,
    summary: "Show how users can log in",
    description: "Everybody can log in with a password.",
    access: "public",
    answer: {
      status: 200,
      description: "The OpenID Connect provider; null if there is none.",
      content: {
        type: "application/json",
        schema: z.object({
          data: z.object({ openid: z.object({ label: z.string() }).nullable() }),
        }),
        example: { data: { openid: { label: "Example SSO" } } },
      },
    },
    handle: ({ services }) => {
      const label = openidLabel(services);
      return { status: 200, body: { data: { openid: label === null ? null : { label } } } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/login/openid/start",
    operationId: "startOpenidLogin",
    group,
    summary: "Begin a log-in with OpenID Connect",
    description: "Sets a cookie, which the browser needs again to finish the log-in.",
    access: "public",
    audited: false,
    body: {
      schema: z.object({
        note: literalLine(1000).optional().openapi({
          description: "Comes back in `state`, after its first full stop.",
        }),
        fresh: z.boolean().optional().openapi({
          description: "Whether the user has to authenticate at the provider again.",
        }),
      }).openapi("OpenidStart"),
      example: { fresh: false },
    },
    errors: {
      404: "No provider is configured.",
      429: "Too many log-ins were begun and not finished.",
      503: "The provider can't be used at the moment.",
    },
    answer: {
      status: 200,
      description: "The address to which the browser has to go.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.object({ url: z.string() }) }),
        example: { data: { url: "https://sso.example.com/authorize?client_id=rearguard" } },
      },
    },
    handle: async ({ services, baseUrl, body, openidCookie, origin, request }) => {
      const { note = "", fresh: isFresh = false } = body;
      const login = { redirectUri: `${baseUrl}${CALLBACK_PATH}`, note, isFresh };
      const { url, secret } = await beginOpenidLogin(services, login, origin.address);
      return json(200, { data: { url } }, { "Set-Cookie": openidCookie.write(request, secret) });
    },
  }),
  endpoint({
    method: "post",
    path: "/api/login/openid",
    operationId: "logInWithOpenid",
    group,
    summary: "Finish a log-in with OpenID Connect",
    description: "Takes the query with which the provider has sent the browser back. Works once, and only " +
      "in the browser in which the log-in began.",
    access: "public",
    logsIn: true,
    allowsOtherSites: true,
    body: {
      schema: z.object({ query: literal(8192) }).openapi("OpenidLogin"),
      example: { query: "code=SplxlOBeZQQYbYS6WxSbIA&state=rgl_af0ifjsldkj." },
    },
    errors: {
      401: "The log-in has expired or was used, the provider's answer is not valid, or no account fits.",
      404: "No provider is configured.",
      503: "The provider can't be used at the moment.",
    },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async (call) => {
      const answer = new URL(`${call.baseUrl}${CALLBACK_PATH}`);
      answer.search = call.body.query;
      const secret = call.openidCookie.read(call.request);
      return await loggedIn(call, await finishOpenidLogin(call.services, { answer, secret }, clientOf(call)));
    },
  }),
];
