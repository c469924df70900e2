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
import { TRASH } from "../destinations/forget_query.ts";
import { issuedAnswer, presentIssued, tokenExample, tokenFields } from "./tokens.ts";
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
    description: "The user has no access yet: create a token with `POST /api/users/{id}/tokens`.",
    body: fields.openapi("NewUser"),
    example: { name: "Ada Lovelace", email: "ada@example.com" },
    create: (services, _caller, { is_admin = false, ...body }) => createUser(services, { ...body, is_admin }),
  }),
  showEndpoint(user, { access: "admin", show: showUser }),
  updateEndpoint(user, {
    access: "admin",
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
    errors: { 409: "It is the caller, or the user still has servers, destinations, tasks or backups." },
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
    path: "/api/users/{id}/tokens",
    operationId: "createUserToken",
    group: "Users",
    summary: "Create a token for a user",
    description:
      "The user's first token, or a replacement for a lost one. Default of `abilities`: all that the user can " +
      "have and that the calling token has.",
    access: "admin",
    ids: { id: "User" },
    body: { schema: tokenFields.partial({ abilities: true }).openapi("NewUserToken"), example: tokenExample },
    answer: issuedAnswer,
    showsSecretOnce: true,
    handle: async ({ services, caller, params, body: { name, abilities = null, expires_at = null } }) =>
      presentIssued(await createTokenFor(services, caller, params.id, { name, abilities, expires_at })),
  }),
];
