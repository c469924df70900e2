/**
 * Defines the endpoints for the caller's own second factor, and for the setting that everybody must have a
 * second factor.
 */
import { z } from "@hono/zod-openapi";
import {
  confirmTotp,
  isSecondFactorRequired,
  removeTotp,
  renewRecoveryCodes,
  requireSecondFactor,
  type SecondFactorRow,
  startTotp,
} from "../../../services/access/second_factor.ts";
import { secret } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { messageContent } from "../../resource.ts";

export const SecondFactor = z.object({
  enabled: z.boolean().openapi({ description: "Whether the user has an authenticator app." }),
  has_passkey: z.boolean().openapi({ description: "Whether the user has a passkey, which counts too." }),
  required: z.boolean().openapi({ description: "Whether everybody must have a second factor." }),
  recovery_codes_left: z.int(),
}).openapi("SecondFactor");

export const secondFactorExample = {
  enabled: true,
  has_passkey: false,
  required: false,
  recovery_codes_left: 10,
};

export function presentSecondFactor(row: SecondFactorRow): z.output<typeof SecondFactor> {
  const { is_enabled, has_passkey, is_required, recovery_codes_left } = row;
  return { enabled: is_enabled, has_passkey, required: is_required, recovery_codes_left };
}

const group = "Log-in";

const recoveryCodes = {
  type: "application/json",
  schema: z.object({ data: z.object({ recovery_codes: z.array(z.string()) }) }),
  example: { data: { recovery_codes: ["K7QM-2ZXW-9PLA-TR4V"] } },
};

const settings = {
  type: "application/json",
  schema: z.object({ data: z.object({ second_factor_required: z.boolean() }) }),
  example: { data: { second_factor_required: true } },
};

export const secondFactorEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/user/totp",
    operationId: "startTotp",
    group,
    summary: "Begin to set up an authenticator app",
    description: "The secret counts once `POST /api/user/totp/confirm` gets a code made with it.",
    access: "session",
    needsFreshLogin: true,
    allowsMissingSecondFactor: true,
    errors: { 409: "There is an app already." },
    answer: {
      status: 201,
      description: "The secret in base 32, and as an `otpauth:` address for a QR code.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.object({ secret: z.string(), uri: z.string() }) }),
        example: {
          data: {
            secret: "JBSWY3DPEHPK3PXP",
            uri: "otpauth://totp/Rearguard:ada%40example.com?issuer=Rearguard&secret=JBSWY3DPEHPK3PXP",
          },
        },
      },
    },
    showsSecretOnce: true,
    handle: async ({ services, caller }) => ({
      status: 201,
      body: { data: await startTotp(services, caller) },
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/user/totp/confirm",
    operationId: "confirmTotp",
    group,
    summary: "Confirm an authenticator app",
    description: "From now on, a log-in needs a code. Ends the user's other sessions.",
    access: "session",
    needsFreshLogin: true,
    allowsMissingSecondFactor: true,
    body: { schema: z.object({ code: secret(64) }).openapi("TotpCode"), example: { code: "123456" } },
    errors: { 409: "There is nothing to confirm.", 422: "The code is wrong." },
    answer: {
      status: 200,
      description: "Ten recovery codes, each of which replaces one code. They are not shown again.",
      content: recoveryCodes,
    },
    showsSecretOnce: true,
    handle: async ({ services, caller, body }) => {
      const recovery_codes = await confirmTotp(services, caller, body.code);
      return { status: 200, body: { data: { recovery_codes } } };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/user/totp",
    operationId: "removeTotp",
    group,
    summary: "Remove the authenticator app",
    access: "session",
    errors: { 409: "There is none, or everybody must have a second factor." },
    answer: {
      status: 200,
      description: "A log-in needs the password only.",
      content: messageContent("Second factor successfully removed"),
    },
    handle: async ({ services, caller }) => {
      await removeTotp(services, caller);
      return { status: 200, body: { message: "Second factor successfully removed" } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/user/recovery-codes",
    operationId: "renewRecoveryCodes",
    group,
    summary: "Make new recovery codes",
    description: "The former ones stop working.",
    access: "session",
    needsFreshLogin: true,
    errors: { 409: "There is no authenticator app." },
    answer: { status: 201, description: "Ten codes, which are not shown again.", content: recoveryCodes },
    showsSecretOnce: true,
    handle: async ({ services, caller }) => {
      const recovery_codes = await renewRecoveryCodes(services, caller);
      return { status: 201, body: { data: { recovery_codes } } };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/login-settings",
    operationId: "showLoginSettings",
    group,
    summary: "Show the settings of log-ins",
    access: "admin",
    answer: { status: 200, description: "The settings.", content: settings },
    handle: async ({ services }) => {
      const second_factor_required = await isSecondFactorRequired(services);
      return { status: 200, body: { data: { second_factor_required } } };
    },
  }),
  endpoint({
    method: "put",
    path: "/api/login-settings",
    operationId: "updateLoginSettings",
    group,
    summary: "Change the settings of log-ins",
    description:
      "With `second_factor_required`, a session of a user without a second factor can only set one up.",
    access: "admin",
    needsFreshLogin: true,
    body: {
      schema: z.object({ second_factor_required: z.boolean() }).openapi("LoginSettings"),
      example: { second_factor_required: true },
    },
    errors: { 409: "The caller has no second factor." },
    answer: { status: 200, description: "The settings after the change.", content: settings },
    handle: async ({ services, caller, body }) => {
      await requireSecondFactor(services, caller, body.second_factor_required);
      return { status: 200, body: { data: body } };
    },
  }),
];
