/**
 * The audit log: adds entries for events that no request causes, and lists all entries for administrators.
 */
import { findManaged } from "./workspaces.ts";
import type { AuditEntry } from "../../domain/audit.ts";
import type { PageWindow } from "../../domain/page.ts";
import {
  type AuditLogFilter,
  type AuditLogRow,
  insertAuditEntry,
  listAuditLog as list,
} from "../../store/access/audit_log.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Page } from "../../store/database/page.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type { Origin } from "../../domain/audit.ts";
export { NO_ORIGIN } from "../../domain/audit.ts";
export { AuditedRequest, withAuditedRequest } from "../../store/access/audited_request.ts";
export type { AuditLogFilter, AuditLogRow };

/**
 * Adds an entry for an action that does not come from an audited request.
 *
 * @param sql The transaction to use. By default, the entry is added outside a transaction.
 */
export async function enterAudit(
  { database, clock }: Pick<ServiceContext, "database" | "clock">,
  entry: Pick<AuditEntry, "actor" | "action" | "result" | "origin"> & Partial<AuditEntry>,
  sql: Sql = database,
): Promise<void> {
  const whole = { workspaceId: null, resource: null, resourceId: null, fields: [], reason: null, ...entry };
  await insertAuditEntry(sql, whole, clock.now());
}

/** Lists the entries of a workspace. Throws if the caller is not allowed to manage the workspace. */
export async function listWorkspaceAuditLog(
  { database }: ServiceContext,
  caller: Caller,
  workspaceId: number,
  filter: AuditLogFilter,
  window: PageWindow,
): Promise<Page<AuditLogRow>> {
  const { id } = await findManaged(database, caller, workspaceId);
  return await list(database, { ...filter, workspace_id: id }, window);
}

/** Lists the entries of all users. The caller must be an administrator. */
export function listAuditLog(
  services: ServiceContext,
  _caller: Caller,
  filter: AuditLogFilter,
  window: PageWindow,
): Promise<Page<AuditLogRow>> {
  return list(services.database, filter, window);
}
