/** Defines the endpoints of `/api/users`, with which administrators manage users. */
import { z } from "@hono/zod-openapi";
import {
  createTokenFor,
  createUser,
  deleteUser,
  listUsers,
  showUser,
  undeleteUser,
  updateUser,
  type UserRow,
} from "../../../services/access/users.ts";
import { createSetupLink, setupUrl } from "../../../services/access/setup_links.ts";
import { line, trimmed } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { searchParameter } from "../../input/list_filters.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoint,
  type Resource,
  showEndpoint,
  undeleteEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { TRASH } from "../destinations/forget_query.ts";
import { issuedAnswer, presentIssued, tokenExample, tokenFields, tokenWorkspace } from "./tokens.ts";
import { presentUser, ShortUser, userExample } from "./user.ts";

const user: Resource<UserRow, z.output<typeof ShortUser>> = {
  name: "User",
  plural: "Users",
  path: "/api/users",
  schema: ShortUser,
  example: userExample,
  present: presentUser,
};

const fields = z.object({
  name: line(255),
  email: trimmed(z.email()).max(254),
  is_admin: z.boolean().optional(),
});

export const usersEndpoints: readonly Endpoint[] = [
  listEndpoint(user, {
    access: "admin",
    filters: {
      status: z.enum(["trash"]).optional().openapi(TRASH),
      search: searchParameter("the name or the email"),
    },
    sorts: ["name", "email"],
    list: listUsers,
  }),
  createEndpoint(user, {
    access: "admin",
    needsFreshLogin: true,
    description:
      "The user has no access yet: make a set-up link with `POST /api/users/{id}/setup-link`, or a token " +
      "with `POST /api/users/{id}/tokens`.",
    body: fields.openapi("NewUser"),
    example: { name: "Ada Lovelace", email: "ada@example.com" },
    create: (services, _caller, { is_admin = false, ...body }) => createUser(services, { ...body, is_admin }),
  }),
  showEndpoint(user, { access: "admin", show: showUser }),
  updateEndpoint(user, {
    access: "admin",
    needsFreshLogin: true,
    body: fields.partial().openapi("UserChanges"),
    example: { email: "ada.king@example.com" },
    errors: { 409: "It would remove the caller's administrator rights." },
    update: updateUser,
  }),
  deleteEndpoint(user, {
    access: "admin",
    description:
      "Deletes the user's tokens, tags and notification streams too. The user goes to the trash, and administrators are notified; the " +
      "tokens are invalid from then on.",
    isTrashed: true,
    errors: {
      409:
        "It is the caller, or the user still has servers, destinations, tasks or backups, or is the last manager of a workspace.",
    },
    remove: deleteUser,
  }),
  undeleteEndpoint(user, {
    access: "admin",
    description: "Restores the user's tokens too.",
    errors: { 409: "Another user has the email address now." },
    undelete: undeleteUser,
  }),
  endpoint({
    method: "post",
    path: "/api/users/{id}/setup-link",
    operationId: "createSetupLink",
    group: "Users",
    summary: "Make a set-up link for a user",
    description:
      "With it, the user sets a password and logs in: once, within 24 hours. Older links stop working.",
    access: "admin",
    needsFreshLogin: true,
    ids: { id: "User" },
    body: {
      schema: z.object({
        reset_second_factor: z.boolean().optional().openapi({
          description: "Whether the use of the link removes the user's second factor, because it is lost.",
        }),
      }).openapi("NewSetupLink"),
      example: { reset_second_factor: false },
    },
    answer: {
      status: 201,
      description: "The link, which can't be shown again.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.object({ url: z.string(), expires_at: Time }) }),
        example: {
          data: {
            url: "https://backup.example.com/login/setup?token=rgl_0J3vTqkVbS7mX1cYwZ5a",
            expires_at: "2024-08-08T00:00:00Z",
          },
        },
      },
    },
    showsSecretOnce: true,
    handle: async ({ services, caller, params, body, baseUrl }) => {
      const link = await createSetupLink(services, caller, params.id, body.reset_second_factor ?? false);
      const expires_at = isoTime(link.expiresAt);
      return { status: 201, body: { data: { url: setupUrl(baseUrl, link), expires_at } } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/users/{id}/tokens",
    operationId: "createUserToken",
    group: "Users",
    summary: "Create a token for a user",
    description:
      "The user's first token, or a replacement for a lost one. Default of `abilities`: all that the user can " +
      "have and that the calling token has. Default of `workspace_id`: the user's own workspace.",
    access: "admin",
    needsFreshLogin: true,
    ids: { id: "User" },
    body: {
      schema: tokenFields.partial({ abilities: true }).extend(tokenWorkspace).openapi("NewUserToken"),
      example: tokenExample,
    },
    answer: issuedAnswer,
    showsSecretOnce: true,
    async handle({ services, caller, params, body }) {
      const { name, abilities = null, expires_at = null, workspace_id: workspaceId = null } = body;
      const token = { name, abilities, expires_at, workspaceId };
      return presentIssued(await createTokenFor(services, caller, params.id, token));
    },
  }),
];
