/** Defines the endpoints that list the audit log. */
import { z } from "@hono/zod-openapi";
import { AUDIT_ACTORS, AUDIT_RESULTS } from "../../../domain/audit.ts";
import { type AuditLogRow, listAuditLog, listWorkspaceAuditLog } from "../../../services/access/audit_log.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { id, line, moment } from "../../../definitions/formats/text.ts";
import { searchParameter, sortParameter, timeParameters } from "../../input/list_filters.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { listBody, listContent, type Resource } from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";

const AuditResult = z.enum(AUDIT_RESULTS).openapi("AuditResult");

const Entry = z.object({
  id: z.int(),
  at: Time,
  actor: z.object({
    type: z.enum(AUDIT_ACTORS).openapi({
      description:
        "`command`: an admin command on the control plane's machine. `trigger`: the webhook of the task that is the resource. `unknown`: an unauthenticated caller; the ids are then of a " +
        "token that is no longer valid.",
    }),
    name: z.string().nullable().openapi({ description: "The name at that time." }),
    user_id: z.int().nullable(),
    token_id: z.int().nullable(),
    session_id: z.int().nullable(),
    remote_server_id: z.int().nullable(),
  }),
  workspace_id: z.int().nullable().openapi({
    description:
      "The workspace of the actor's token or server. Null for none, and in entries of older versions.",
  }),
  action: z.string().openapi({
    description: "The operation's id in this document, or the action of an admin command.",
  }),
  resource: z.string().nullable().openapi({ description: "As in the paths." }),
  resource_id: z.int().nullable(),
  fields: z.array(z.string()).openapi({
    description: "Names of the fields that were sent, without their values.",
  }),
  result: AuditResult.openapi({
    description:
      "`refused` or `failed` after `done` with the same `request_id`: the change was made, but a later step was not.",
  }),
  reason: z.string().nullable(),
  address: z.string().nullable().openapi({ description: "The client's." }),
  request_id: z.string().nullable().openapi({ description: "The response's `X-Request-Id`." }),
}).openapi("AuditLogEntry");

const entry: Resource<AuditLogRow, z.output<typeof Entry>> = {
  name: "Audit log entry",
  plural: "Audit log",
  path: "/api/audit-log",
  schema: Entry,
  example: {
    id: 41,
    at: "2024-08-07T00:00:00Z",
    actor: {
      type: "user",
      name: "ada@example.com",
      user_id: 1,
      token_id: 2,
      session_id: null,
      remote_server_id: null,
    },
    workspace_id: 1,
    action: "updateBackupTask",
    resource: "backup-tasks",
    resource_id: 7,
    fields: ["encryption_password"],
    result: "done",
    reason: null,
    address: "203.0.113.9",
    request_id: "7c5fa2a0-4c52-4f2a-8a4e-0f4cb1d0a3c1",
  },
  present: (row) => ({
    id: row.id,
    at: isoTime(row.at),
    actor: {
      type: row.actor,
      name: row.actor_name,
      user_id: row.user_id,
      token_id: row.token_id,
      session_id: row.session_id,
      remote_server_id: row.remote_server_id,
    },
    workspace_id: row.workspace_id,
    action: row.action,
    resource: row.resource,
    resource_id: row.resource_id,
    fields: row.fields,
    result: row.result,
    reason: row.reason,
    address: row.address,
    request_id: row.request_id,
  }),
};

const filters = {
  actor: z.enum(AUDIT_ACTORS).optional().openapi({ example: "user" }),
  action: line(100).optional().openapi({ example: "updateBackupTask" }),
  resource: line(100).optional().openapi({ example: "backup-tasks" }),
  result: AuditResult.optional().openapi({ param: { example: "done" } }),
  from: moment().optional().openapi({ description: "At this time or later." }),
  to: moment().optional().openapi({ description: "Before this moment." }),
  ...timeParameters,
  search: searchParameter("who did what to what, from where and why"),
  sort: sortParameter(["id", "created_at"]),
};

const answer = {
  status: 200,
  description: "One page, oldest first unless sorted.",
  content: listContent(entry),
};

export const auditLogEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: entry.path,
    operationId: "listAuditLog",
    group: "System",
    summary: "List the audit log",
    description:
      "Who changed what, read a secret or was refused, when and from where. Contains entries of all users; they cannot be changed.",
    access: "admin",
    query: PageQuery.extend({
      user_id: id().optional().openapi({ example: 1 }),
      workspace_id: id().optional().openapi({ example: 1 }),
      resource_id: id().optional().openapi({ example: 7 }),
      ...filters,
    }),
    answer,
    async handle({ services, caller, query, ...sent }) {
      const { filter, page } = choiceOf(query);
      const listed = await listAuditLog(services, caller, filter, windowOf(page));
      return { status: 200, body: listBody(entry, listed, page, sent) };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/workspaces/{id}/audit-log",
    operationId: "listWorkspaceAuditLog",
    group: "Workspaces",
    summary: "List the audit log of a workspace",
    description: "What members did with their tokens for the workspace, and its agents; for managers.",
    access: "manage-workspace",
    ids: { id: "Workspace" },
    query: PageQuery.extend(filters),
    answer,
    async handle({ services, caller, params, query, ...sent }) {
      const { filter, page } = choiceOf(query);
      const listed = await listWorkspaceAuditLog(services, caller, params.id, filter, windowOf(page));
      return { status: 200, body: listBody(entry, listed, page, sent) };
    },
  }),
];

/**
 * Splits a query into the page and the filter. `since` and `until` are other names of the parameters `from`
 * and `to`.
 */
function choiceOf<Query extends z.output<z.ZodObject<typeof filters>> & PageQuery>(query: Query) {
  const { page, per_page, since, until, ...rest } = query;
  return { page: { page, per_page }, filter: { ...rest, from: rest.from ?? since, to: rest.to ?? until } };
}
