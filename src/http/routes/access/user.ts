/** Defines the endpoints of `/api/user`: the caller's own account. */
import { z } from "@hono/zod-openapi";
import { showSelf, updateSelf, type UserRow, type UserWithCounts } from "../../../services/access/users.ts";
import { RoleName } from "./roles.ts";
import { line, timezone, trimmed } from "../../../definitions/formats/text.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { says } from "../../../definitions/formats/says.ts";
import { isoTime, Time } from "../../input/time.ts";

const PersonalInfo = z.object({
  name: z.string(),
  first_name: z.string(),
  last_name: z.string().nullable(),
  email: z.string(),
  avatar_url: z.string().nullable().openapi({ description: "Null: no pictures are kept." }),
});

const AccountSettings = z.object({
  timezone: z.string(),
  language: z.string(),
  is_admin: z.boolean(),
  weekly_summary_enabled: z.boolean().openapi({
    description:
      "Whether a notification stream of the user's own workspace gets a weekly summary. It is set there.",
  }),
});

/** The fields of a user that every response about users contains. */
export const ShortUser = z.object({
  id: z.int(),
  personal_info: PersonalInfo,
  account_settings: AccountSettings,
  timestamps: z.object({ account_created: Time }),
  deletes_at: Time.optional().openapi({ description: "Set while the user is in the trash." }),
}).openapi("User");

const FullUser = ShortUser.extend({
  workspace: z.object({ id: z.int(), name: z.string(), role: RoleName }).openapi({
    description: "The workspace of the calling token. The numbers are of its records.",
  }),
  backup_tasks: z.object({
    total: z.int(),
    active: z.int().openapi({ description: "Not paused." }),
    logs: z.object({
      total: z.int(),
      today: z.int().openapi({ description: "Since midnight in the user's time zone." }),
    }),
  }),
  related_entities: z.object({
    remote_servers: z.int(),
    backup_destinations: z.int(),
    tags: z.int(),
    notification_streams: z.int(),
  }),
}).openapi("OwnUser");

export const userExample: z.output<typeof ShortUser> = {
  id: 1,
  personal_info: {
    name: "Ada Lovelace",
    first_name: "Ada",
    last_name: "Lovelace",
    email: "ada@example.com",
    avatar_url: null,
  },
  account_settings: {
    timezone: "Europe/London",
    language: "en",
    is_admin: true,
    weekly_summary_enabled: false,
  },
  timestamps: { account_created: "2024-08-07T00:00:00Z" },
};

const content = {
  type: "application/json",
  schema: z.object({ data: FullUser }),
  example: {
    data: {
      ...userExample,
      workspace: { id: 1, name: "Ada Lovelace", role: "manager" as const },
      backup_tasks: { total: 3, active: 2, logs: { total: 40, today: 2 } },
      related_entities: { remote_servers: 2, backup_destinations: 1, tags: 4, notification_streams: 1 },
    },
  },
};

export function presentUser(row: UserRow): z.output<typeof ShortUser> {
  const [first = "", ...rest] = row.name.split(/\s+/);
  return {
    id: row.id,
    personal_info: {
      name: row.name,
      first_name: first,
      last_name: rest.length === 0 ? null : rest.join(" "),
      email: row.email,
      avatar_url: null,
    },
    account_settings: {
      timezone: row.timezone,
      language: row.language,
      is_admin: row.is_admin,
      weekly_summary_enabled: row.weekly_summary_enabled,
    },
    timestamps: { account_created: isoTime(row.created_at) },
    ...row.deletes_at === null ? {} : { deletes_at: isoTime(row.deletes_at) },
  };
}

function selfResponse({ user, workspace: { id, name, role }, counts }: UserWithCounts) {
  const data: z.output<typeof FullUser> = {
    ...presentUser(user),
    workspace: { id, name, role: role! },
    backup_tasks: {
      total: counts.backup_tasks,
      active: counts.active_backup_tasks,
      logs: { total: counts.logs, today: counts.logs_today },
    },
    related_entities: {
      remote_servers: counts.remote_servers,
      backup_destinations: counts.backup_destinations,
      tags: counts.tags,
      notification_streams: counts.notification_streams,
    },
  };
  return { status: 200, body: { data } };
}

/** A language tag as in BCP 47. */
const language = trimmed(z.string()).max(35).regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, {
  error: says("must be a language tag such as en or pt-BR"),
});

export const userEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/user",
    operationId: "showOwnUser",
    group: "User",
    summary: "Show the caller's own account",
    access: "any token",
    answer: { status: 200, description: "The account and the number of its records.", content },
    handle: async ({ services, caller }) => selfResponse(await showSelf(services, caller)),
  }),
  endpoint({
    method: "put",
    path: "/api/user",
    operationId: "updateOwnUser",
    group: "User",
    summary: "Update the caller's own account",
    access: "any token",
    body: {
      schema: z.object({ name: line(255), timezone: timezone(), language }).partial().openapi(
        "OwnUserChanges",
      ),
      example: { name: "Ada King", timezone: "Europe/London", language: "en" },
    },
    answer: {
      status: 200,
      description: "The account after the change. Fields that were left out keep their value.",
      content,
    },
    handle: async ({ services, caller, body }) => selfResponse(await updateSelf(services, caller, body)),
  }),
];
