/** The audit log: what is entered beside requests that change something, and who may read it. */
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
export { AuditedRequest, auditing } from "../../store/access/audited_request.ts";
export type { AuditLogFilter, AuditLogRow };

/**
 * Enters what no transaction of a request does. `sql`: the transaction that it belongs to, if there is one.
 */
export async function enterAudit(
  { database, clock }: Pick<ServiceContext, "database" | "clock">,
  entry: Pick<AuditEntry, "actor" | "action" | "result" | "origin"> & Partial<AuditEntry>,
  sql: Sql = database,
): Promise<void> {
  const whole = { resource: null, resourceId: null, fields: [], reason: null, ...entry };
  await insertAuditEntry(sql, whole, clock.now());
}

/** Of all users: an administrator's to read. */
export function listAuditLog(
  services: ServiceContext,
  _caller: Caller,
  filter: AuditLogFilter,
  window: PageWindow,
): Promise<Page<AuditLogRow>> {
  return list(services.database, filter, window);
}
