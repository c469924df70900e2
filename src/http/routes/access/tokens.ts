/** Defines the endpoints of `/api/tokens`: the caller's own tokens. */
import { z } from "@hono/zod-openapi";
import { ABILITIES, type Ability } from "../../../domain/abilities.ts";
import {
  createToken,
  type IssuedToken,
  listTokens,
  revokeToken,
  showToken,
  type TokenRow,
  updateToken,
} from "../../../services/access/tokens.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { id, line, moment } from "../../../definitions/formats/text.ts";
import { searchParameter } from "../../input/list_filters.ts";
import { deleteEndpoint, listEndpoint, type Resource, showEndpoint, updateEndpoint } from "../../resource.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const AbilityName = z.enum(ABILITIES as [Ability, ...Ability[]]).openapi("Ability");

const Token = z.object({
  id: z.int(),
  user_id: z.int(),
  workspace_id: z.int().openapi({ description: "The only workspace that the token reaches." }),
  name: z.string(),
  abilities: z.array(AbilityName),
  expires_at: Time.nullable().openapi({ description: "Null: it never expires." }),
  last_used_at: Time.nullable().openapi({ description: "To the minute." }),
  created_at: Time,
  updated_at: Time,
}).openapi("Token");

const NewToken = Token.extend({
  token: z.string().openapi({ description: "Shown only once; only its hash is stored." }),
}).openapi("TokenWithText");

const example: z.output<typeof Token> = {
  id: 2,
  user_id: 1,
  workspace_id: 1,
  name: "Nightly report",
  abilities: ["view-backup-tasks"],
  expires_at: "2030-01-31T12:00:00Z",
  last_used_at: null,
  created_at: "2024-08-07T00:00:00Z",
  updated_at: "2024-08-07T00:00:00Z",
};

const token: Resource<TokenRow, z.output<typeof Token>> = {
  name: "Token",
  plural: "Tokens",
  path: "/api/tokens",
  schema: Token,
  example,
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    workspace_id: row.workspace_id,
    name: row.name,
    abilities: row.abilities as Ability[],
    expires_at: isoTimeOrNull(row.expires_at),
    last_used_at: isoTimeOrNull(row.last_used_at),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

export const tokenFields = z.object({
  name: line(255),
  abilities: z.array(AbilityName).min(1).max(ABILITIES.length),
  expires_at: moment().nullable().optional(),
});

export const tokenExample = {
  name: "Nightly report",
  abilities: ["view-backup-tasks"],
  expires_at: "2030-01-31T12:00:00Z",
};

/** The field of a new token that names the token's workspace. */
export const tokenWorkspace = { workspace_id: id().optional() };

/** Describes the response of every endpoint that creates a token. */
export const issuedAnswer = {
  status: 201,
  description: "The new token with its text, which can't be shown again.",
  content: {
    type: "application/json",
    schema: z.object({ data: NewToken }),
    example: { data: { ...example, token: "rg_0J3vTqkVbS7mX1cYwZ5aLhR2dNfEgKpUoIi9Bt4Qs8M" } },
  },
};

export function presentIssued({ row, plain }: IssuedToken) {
  return { status: 201, body: { data: { ...token.present(row), token: plain } } };
}

export const tokenEndpoints: readonly Endpoint[] = [
  listEndpoint(token, {
    access: "manage-tokens",
    filters: { search: searchParameter("the name") },
    sorts: ["name", "last_used_at", "expires_at"],
    list: listTokens,
  }),
  endpoint({
    method: "post",
    path: "/api/tokens",
    operationId: "createToken",
    group: "Tokens",
    summary: "Create a token",
    description:
      "A token can't grant an ability that it lacks itself. Default of `workspace_id`: the workspace of the calling token. Only a " +
      "token for the user's own workspace creates tokens for others. What a token permits is limited by the role that its user has " +
      "in the workspace at the time of a request.",

    access: "manage-tokens",
    needsFreshLogin: true,
    body: { schema: tokenFields.extend(tokenWorkspace).openapi("NewToken"), example: tokenExample },
    answer: issuedAnswer,
    showsSecretOnce: true,
    handle: async ({ services, caller, body: { expires_at = null, workspace_id: workspaceId, ...token } }) =>
      presentIssued(await createToken(services, caller, { ...token, expires_at, workspaceId })),
  }),
  showEndpoint(token, { access: "manage-tokens", show: showToken }),
  updateEndpoint(token, {
    access: "manage-tokens",
    needsFreshLogin: true,
    body: tokenFields.partial().openapi("TokenChanges"),
    example: { name: "Weekly report" },
    errors: { 409: "It would remove the `admin` ability from the last valid token that has it." },
    update: updateToken,
  }),
  deleteEndpoint(token, {
    access: "manage-tokens",
    description: "Revokes the token: from the next request on it is unknown.",
    errors: { 409: "It is the last valid token with the `admin` ability." },
    remove: revokeToken,
  }),
];
