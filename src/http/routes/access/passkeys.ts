/**
 * Defines the endpoints of passkeys: those for the caller's own passkeys, and those for the log-in with a
 * passkey.
 */
import { z } from "@hono/zod-openapi";
import {
  addPasskey,
  deletePasskey,
  listPasskeys,
  loginOptions,
  logInWithPasskey,
  type PasskeyRow,
  registrationOptions,
} from "../../../services/access/passkeys.ts";
import { line } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { dataContent, deleteEndpoint, listEndpoint, type Resource } from "../../resource.ts";
import { clientOf, content, loggedIn } from "./login.ts";

const Passkey = z.object({
  id: z.int(),
  name: z.string(),
  created_at: Time,
  last_used_at: Time.nullable(),
}).openapi("Passkey");

const passkey: Resource<PasskeyRow, z.output<typeof Passkey>> = {
  name: "Passkey",
  plural: "Passkeys",
  path: "/api/user/passkeys",
  schema: Passkey,
  example: { id: 1, name: "Phone", created_at: "2024-08-07T00:00:00Z", last_used_at: null },
  present: ({ id, name, created_at, last_used_at }) => ({
    id,
    name,
    created_at: isoTime(created_at),
    last_used_at: isoTimeOrNull(last_used_at),
  }),
};

const options = {
  type: "application/json",
  schema: z.object({ data: z.looseObject({ challenge: z.string() }) }),
  example: { data: { challenge: "dGhpcyBpcyBvbmUgY2hhbGxlbmdl" } },
};

/** What `toJSON()` of a browser's `PublicKeyCredential` returns. */
const Credential = z.record(z.string(), z.unknown()).openapi({
  description: "The browser's credential, as its `toJSON()` returns it.",
});

const group = "Log-in";

export const passkeyEndpoints: readonly Endpoint[] = [
  listEndpoint(passkey, { access: "manage-tokens", sorts: ["last_used_at"], list: listPasskeys }),
  deleteEndpoint(passkey, {
    access: "manage-tokens",
    errors: { 409: "It is the last second factor, and everybody must have one." },
    remove: deletePasskey,
  }),
  endpoint({
    method: "post",
    path: "/api/user/passkeys/options",
    operationId: "startPasskey",
    group,
    summary: "Begin to add a passkey",
    access: "session",
    needsFreshLogin: true,
    allowsMissingSecondFactor: true,
    errors: { 409: "The user has the maximum number of passkeys." },
    answer: { status: 200, description: "The argument of `navigator.credentials.create`.", content: options },
    handle: async ({ services, caller, baseUrl }) => ({
      status: 200,
      body: { data: await registrationOptions(services, caller, baseUrl) },
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/user/passkeys",
    operationId: "addPasskey",
    group,
    summary: "Add a passkey",
    access: "session",
    needsFreshLogin: true,
    allowsMissingSecondFactor: true,
    body: {
      schema: z.object({ name: line(100), response: Credential }).openapi("NewPasskey"),
      example: { name: "Phone", response: { id: "Zm9v" } },
    },
    errors: { 409: "The passkey is registered already.", 422: "The passkey is not accepted." },
    answer: { status: 201, description: "The new passkey.", content: dataContent(passkey) },
    handle: async ({ services, caller, body, baseUrl }) => ({
      status: 201,
      body: { data: passkey.present(await addPasskey(services, caller, body, baseUrl)) },
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/login/passkey/options",
    operationId: "startPasskeyLogin",
    group,
    summary: "Begin a log-in with a passkey",
    access: "public",
    audited: false,
    answer: { status: 200, description: "The argument of `navigator.credentials.get`.", content: options },
    handle: async ({ services, baseUrl }) => ({
      status: 200,
      body: { data: await loginOptions(services, baseUrl) },
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/login/passkey",
    operationId: "logInWithPasskey",
    group,
    summary: "Log in with a passkey",
    description: "The passkey verifies its user, so no second factor is asked.",
    access: "public",
    logsIn: true,
    body: {
      schema: z.object({ response: Credential }).openapi("PasskeyLogin"),
      example: { response: { id: "Zm9v" } },
    },
    errors: {
      401: "The passkey is unknown, or its response is not valid.",
      403: "Another site's page sent it.",
    },
    answer: { status: 200, description: "The session and its user.", content },
    handle: async (call) => {
      const login = { response: call.body.response, url: call.baseUrl };
      return await loggedIn(call, await logInWithPasskey(call.services, login, clientOf(call)));
    },
  }),
];
