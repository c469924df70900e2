/** Defines the endpoints that log users in and out, and that concern their own session and password. */
import { z } from "@hono/zod-openapi";
import { MAX_PASSWORD } from "../../../domain/access/password.ts";
import { logIn, logInWithCode, logOut, stepUp } from "../../../services/access/login.ts";
import { changePassword } from "../../../services/access/passwords.ts";
import {
  isCurrent,
  type LoginClient,
  type OpenedSession,
  ownSession,
} from "../../../services/access/sessions.ts";
import { setupUser, useSetupLink } from "../../../services/access/setup_links.ts";
import { showIdentity } from "../../../services/access/users.ts";
import { authenticate } from "../../../services/access/callers.ts";
import { literal, secret } from "../../../definitions/formats/text.ts";
import type { ServiceContext } from "../../../services/context.ts";
import { csrfToken } from "../../csrf.ts";
import { type Call, type Endpoint, endpoint } from "../../endpoint.ts";
import { json } from "../../pipeline.ts";
import { messageContent } from "../../resource.ts";
import { presentSecondFactor, SecondFactor, secondFactorExample } from "./second_factor.ts";
import { secondFactorOf } from "../../../services/access/second_factor.ts";
import { presentSession, Session, sessionExample } from "./sessions.ts";
import { RoleName } from "./roles.ts";
import { presentUser, ShortUser, userExample } from "./user.ts";

const OwnSession = z.object({
  data: z.object({
    user: ShortUser,
    session: Session,
    second_factor: SecondFactor,
    workspace: z.object({ id: z.int(), name: z.string(), role: RoleName }).openapi({
      description: "The workspace in which the session works, and the user's role there.",
    }),
    abilities: z.array(z.string()).openapi({ description: "What the user's role allows at this moment." }),
    csrf_token: z.string().openapi({
      description: "The value of the header `X-CSRF-Token`, for changes by forms.",
    }),
  }),
});

/** Describes the response of every log-in. */
export const content = {
  type: "application/json",
  schema: OwnSession,
  example: {
    data: {
      user: userExample,
      session: sessionExample,
      second_factor: secondFactorExample,
      workspace: { id: 1, name: "Ada Lovelace", role: "manager" as const },
      abilities: ["view-backup-tasks", "view-remote-servers"],
      csrf_token: "q2Vbq0Xn1lT0p1mJ6n3d1gk9mXw5b8R2vN7c4Zy0sUE",
    },
  },
};

/**
 * A password as typed. The rules for passwords are checked only when a user sets a password, so that a
 * refused log-in reveals nothing about the password.
 */
const password = () => secret(MAX_PASSWORD * 2);

type AnyCall = Pick<Call<never, unknown, unknown>, "request" | "origin" | "cookie" | "services">;

export function clientOf({ request, origin }: AnyCall): LoginClient {
  return { address: origin.address, userAgent: request.headers.get("user-agent") };
}

/** Returns the response about the caller's own session: the user, the session and the CSRF token. */
async function ownSessionBody(services: ServiceContext, plain: string) {
  const caller = await authenticate(services, { kind: "session", text: plain });
  const [{ user, workspace }, row] = await Promise.all([
    showIdentity(services, caller),
    ownSession(services, caller),
  ]);
  const session = presentSession({ ...row, is_current: isCurrent(caller, row.id) });
  const second_factor = presentSecondFactor(await secondFactorOf(services, caller.userId));
  return {
    data: {
      user: presentUser(user),
      session,
      second_factor,
      workspace: { id: workspace.id, name: workspace.name, role: caller.role },
      abilities: [...caller.abilities].sort(),
      csrf_token: csrfToken(plain),
    },
  };
}

export async function loggedIn(call: AnyCall, { plain }: OpenedSession): Promise<Response> {
  const cookie = call.cookie.write(call.request, plain);
  return json(200, await ownSessionBody(call.services, plain), { "Set-Cookie": cookie });
}

const group = "Log-in";
const REFUSED = "The email address or the password is wrong; which of them is not said.";
const SLOWED = "Too many failed log-ins of this account or address.";

export const loginEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/login",
    operationId: "logIn",
    group,
    summary: "Log in with a password",
    description: "Opens a session, whose secret is in a cookie. Programs use API tokens instead.",
    access: "public",
    logsIn: true,
    body: {
      schema: z.object({ email: literal(254), password: password() }).openapi("Login"),
      example: { email: "ada@example.com", password: "correct horse battery staple" },
    },
    errors: {
      401: REFUSED,
      403: "Another site's page sent the request.",
      422: "A field is missing.",
      429: SLOWED,
    },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async (call) => await loggedIn(call, await logIn(call.services, call.body, clientOf(call))),
  }),
  endpoint({
    method: "post",
    path: "/api/login/code",
    operationId: "logInWithCode",
    group,
    summary: "Log in with a second factor",
    description: "Follows a log-in whose response had `second_factor_required`. `code` is the code of the " +
      "authenticator app, or a recovery code; each works once.",
    access: "public",
    logsIn: true,
    body: {
      schema: z.object({ challenge: secret(255), code: secret(64) }).openapi("LoginCode"),
      example: { challenge: "rgl_0J3vTqkVbS7mX1cYwZ5a", code: "123456" },
    },
    errors: { 401: "The code is wrong, or the log-in began more than 5 minutes ago.", 429: SLOWED },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async (call) =>
      await loggedIn(call, await logInWithCode(call.services, call.body, clientOf(call))),
  }),
  endpoint({
    method: "post",
    path: "/api/login/setup",
    operationId: "useSetupLink",
    group,
    summary: "Set a password with a set-up link",
    description: "Ends the user's other sessions and opens a new one. A link works once.",
    access: "public",
    logsIn: true,
    body: {
      schema: z.object({ setup_token: secret(255), password: password() }).openapi("PasswordSetup"),
      example: { setup_token: "rgl_0J3vTqkVbS7mX1cYwZ5a", password: "correct horse battery staple" },
    },
    errors: { 401: "The link was used, has expired or was replaced.", 422: "The password is refused." },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async (call) => {
      const { setup_token, password } = call.body;
      const link = { plain: setup_token, password };
      return await loggedIn(call, await useSetupLink(call.services, link, clientOf(call)));
    },
  }),
  endpoint({
    method: "post",
    path: "/api/login/setup/user",
    operationId: "showSetupUser",
    group,
    summary: "Show whose password a set-up link sets",
    access: "public",
    audited: false,
    body: {
      schema: z.object({ setup_token: secret(255) }).openapi("SetupToken"),
      example: { setup_token: "rgl_0J3vTqkVbS7mX1cYwZ5a" },
    },
    errors: { 401: "The link was used, has expired or was replaced." },
    answer: {
      status: 200,
      description: "The user's name and email address.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.object({ name: z.string(), email: z.string() }) }),
        example: { data: { name: "Ada Lovelace", email: "ada@example.com" } },
      },
    },
    handle: async ({ services, body }) => {
      const { name, email } = await setupUser(services, body.setup_token);
      return { status: 200, body: { data: { name, email } } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/logout",
    operationId: "logOut",
    allowsMissingSecondFactor: true,
    group,
    summary: "Log out",
    access: "session",
    answer: { status: 200, description: "The session has ended.", content: messageContent("Logged out") },
    handle: async ({ services, caller, cookie, request }) => {
      await logOut(services, caller);
      return json(200, { message: "Logged out" }, { "Set-Cookie": cookie.write(request, null) });
    },
  }),
  endpoint({
    method: "get",
    path: "/api/session",
    operationId: "showOwnSession",
    allowsMissingSecondFactor: true,
    group,
    summary: "Show the caller's own session",
    access: "session",
    answer: { status: 200, description: "The session and its user.", content },
    handle: async ({ services, cookie, request }) => ({
      status: 200,
      body: await ownSessionBody(services, cookie.read(request)!),
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/session/step-up",
    operationId: "stepUp",
    allowsMissingSecondFactor: true,
    group,
    summary: "Prove again who the session's user is",
    description: "For 10 minutes, the session may do what needs a fresh log-in.",
    access: "session",
    body: {
      schema: z.object({ password: password(), code: secret(64).optional() }).openapi("StepUp"),
      example: { password: "correct horse battery staple", code: "123456" },
    },
    errors: { 422: "The password or the code is wrong, or a code is needed.", 429: SLOWED },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async ({ services, caller, cookie, request, origin, body }) => {
      const { password, code = null } = body;
      await stepUp(services, caller, { password, code }, origin.address);
      return { status: 200, body: await ownSessionBody(services, cookie.read(request)!) };
    },
  }),
  endpoint({
    method: "put",
    path: "/api/user/password",
    operationId: "changeOwnPassword",
    group,
    summary: "Change the caller's password",
    description: "Ends all other sessions of the user. Who has no password yet needs a set-up link.",
    access: "manage-tokens",
    body: {
      schema: z.object({ current_password: password(), password: password() }).openapi("PasswordChange"),
      example: { current_password: "correct horse battery staple", password: "hollow acorn under the eaves" },
    },
    errors: {
      409: "It was changed meanwhile.",
      422: "The current password is wrong, or the new one is refused.",
      429: SLOWED,
    },
    answer: {
      status: 200,
      description: "It is changed.",
      content: messageContent("Password successfully changed"),
    },
    handle: async ({ services, caller, origin, body }) => {
      const { current_password: currentPassword, password } = body;
      await changePassword(services, caller, { currentPassword, password }, origin.address);
      return { status: 200, body: { message: "Password successfully changed" } };
    },
  }),
];
