/**
 * Adds entries to the audit log, lists them, and deletes old ones. The database itself refuses to change an
 * entry, and to delete an entry younger than 90 days.
 */
import type { AuditActor, AuditEntry, AuditResult } from "../../domain/audit.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface AuditLogRow {
  id: number;
  at: Date;
  actor: AuditActor["type"];
  user_id: number | null;
  token_id: number | null;
  session_id: number | null;
  remote_server_id: number | null;
  /** The workspace of the actor's token or server; null if there is none. */
  workspace_id: number | null;
  actor_name: string | null;
  action: string;
  resource: string | null;
  resource_id: number | null;
  fields: string[];
  result: AuditResult;
  reason: string | null;
  address: string | null;
  request_id: string | null;
}

export interface AuditLogFilter extends ListOrder {
  user_id?: number;
  workspace_id?: number;
  actor?: AuditActor["type"];
  action?: string;
  resource?: string;
  resource_id?: number;
  result?: AuditResult;
  /** Earliest time of an entry, inclusive. */
  from?: Date;
  /** Latest time of an entry, exclusive. */
  to?: Date;
  /** Text to find in the actor's name, the action, the resource, the reason or the address. */
  search?: string;
}

/**
 * Adds an entry to the audit log, with the actor's name as of now. Returns whether the entry was added.
 *
 * @param onlyAfterChange If true, adds the entry only if the current transaction has already written
 * something.
 */
export async function insertAuditEntry(
  sql: Sql,
  entry: AuditEntry,
  now: Date,
  onlyAfterChange = false,
): Promise<boolean> {
  const { actor, origin } = entry;
  const userId = actor.type === "user" || actor.type === "unknown" ? actor.userId ?? null : null;
  const credential = actor.type === "user" || actor.type === "unknown" ? actor.credential : undefined;
  const tokenId = credential?.kind === "token" ? credential.id : null;
  const sessionId = credential?.kind === "session" ? credential.id : null;
  const serverId = actor.type === "agent" ? actor.remoteServerId : null;
  const { count } = await sql`
    insert into audit_log (at, actor, user_id, token_id, session_id, remote_server_id, workspace_id, actor_name,
      action, resource, resource_id, fields, result, reason, address, request_id)
    select ${now}::timestamptz, ${actor.type}::text, ${userId}::bigint, ${tokenId}::bigint, ${sessionId}::bigint,
      ${serverId}::bigint,
      coalesce(${entry.workspaceId}::bigint, (select workspace_id from remote_servers where id = ${serverId}::bigint)),
      coalesce(${actor.type === "command" ? actor.name : null}::text,
        (select email from users where id = ${userId}::bigint),
        (select label from remote_servers where id = ${serverId}::bigint)),
      ${entry.action}::text, ${entry.resource}::text, ${entry.resourceId}::bigint, ${[
    ...entry.fields,
  ]}::text[],
      ${entry.result}::text, ${entry.reason}::text, ${origin.address}::text, ${origin.requestId}::text
    where ${!onlyAfterChange}::boolean or txid_current_if_assigned() is not null`;
  return count === 1;
}

export async function listAuditLog(
  sql: Sql,
  filter: AuditLogFilter,
  { offset, limit }: PageWindow,
): Promise<Page<AuditLogRow>> {
  const { from, to, sort, search, ...equal } = filter;
  let where = sql`true`;
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) where = sql`${where} and ${sql(column)} = ${value}`;
  }
  if (from !== undefined) where = sql`${where} and at >= ${from}`;
  if (to !== undefined) where = sql`${where} and at < ${to}`;
  const columns = ["actor_name", "action", "resource", "reason", "address"];
  if (search !== undefined) where = sql`${where} and ${containsText(sql, columns, search)}`;
  const order = orderBy(sql, sort, { created_at: "at" });
  const rows = await sql<AuditLogRow[]>`
    select * from audit_log where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from audit_log where ${where}`;
  return { rows, total: count!.total };
}

/** Deletes up to 10,000 entries that are older than `before`. Never deletes entries younger than 90 days. */
export async function deleteAuditEntriesBefore(sql: Sql, before: Date): Promise<void> {
  await sql`
    delete from audit_log where id in (
      select id from audit_log where at < ${before} and at < now() - interval '90 days' limit 10000)`;
}
