/** Reads the facts from which the protection of tasks is computed, and stores when tasks become late. */
import type { ServerClass } from "../../domain/protection.ts";
import type { Sql } from "../database/sql.ts";
import type { BackupTaskRow } from "./backup_tasks.ts";
import { outcome, outcomeColumns, type TaskOutcome } from "./task_outcome.ts";

export interface ProtectionRow extends BackupTaskRow, TaskOutcome {
  server_class: ServerClass;
}

function protection(sql: Sql, condition: ReturnType<Sql>) {
  return sql<ProtectionRow[]>`
    select t.*, s.class as server_class, ${outcomeColumns(sql)}
    from backup_tasks t join remote_servers s on s.id = t.remote_server_id ${outcome(sql)}
    where ${condition}`;
}

export function findProtection(sql: Sql, id: number): Promise<ProtectionRow[]> {
  return protection(sql, sql`t.id = ${id}`);
}

/** Lists tasks of all workspaces with ids above `after`, ordered by id. */
export function pageOfProtection(sql: Sql, after: number, limit: number): Promise<ProtectionRow[]> {
  return protection(sql, sql`t.id > ${after} order by t.id limit ${limit}`);
}

/** A task with the facts from which its protection is computed, without its settings. */
export type TaskSummary =
  & Pick<
    BackupTaskRow,
    "id" | "label" | "type" | "remote_server_id" | "next_run_at" | "paused_at" | "late_at"
  >
  & TaskOutcome
  & { server_label: string };

/** Reads all tasks of a workspace. Reads few columns, because there may be thousands of tasks. */
export function protectionOfWorkspace(sql: Sql, workspaceId: number): Promise<TaskSummary[]> {
  return sql<TaskSummary[]>`
    select t.id, t.label, t.type, t.remote_server_id, t.next_run_at, t.paused_at, t.late_at, s.label as server_label,
      ${outcomeColumns(sql)}
    from backup_tasks t join remote_servers s on s.id = t.remote_server_id ${outcome(sql)}
    where t.workspace_id = ${workspaceId}`;
}

/** Stores when tasks become late; null if never. */
export async function setLateTimes(
  sql: Sql,
  tasks: readonly { id: number; late_at: Date | null }[],
): Promise<void> {
  if (tasks.length === 0) return;
  await sql`
    update backup_tasks set late_at = late.at
    from unnest(${tasks.map(({ id }) => id)}::bigint[], ${
    tasks.map(({ late_at }) => late_at?.toISOString() ?? null)
  }::timestamptz[]) as late (id, at)
    where backup_tasks.id = late.id`;
}
