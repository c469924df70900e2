/** Tasks whose time has come. */
import type { BackupTaskRow } from "./backup_tasks.ts";
import type { Sql } from "./database.ts";

/** Locked, soonest first; those that another replica fires are passed over, so each due time fires once. */
export function lockDueTasks(sql: Sql, now: Date, limit: number): Promise<BackupTaskRow[]> {
  return sql<BackupTaskRow[]>`
    select * from backup_tasks where next_run_at <= ${now} and paused_at is null
    order by next_run_at, id limit ${limit} for update skip locked`;
}

export async function setNextRun(sql: Sql, taskId: number, next: Date | null): Promise<void> {
  await sql`update backup_tasks set next_run_at = ${next} where id = ${taskId}`;
}

export async function recordSkipped(
  sql: Sql,
  taskId: number,
  dueAt: Date,
  activeRunId: number,
  now: Date,
): Promise<void> {
  await sql`
    insert into skipped_schedules (backup_task_id, due_at, active_run_id, created_at)
    values (${taskId}, ${dueAt}, ${activeRunId}, ${now}) on conflict do nothing`;
}

/** The soonest due time of all tasks. */
export async function soonestDueTime(sql: Sql): Promise<Date | null> {
  const [row] = await sql<{ next: Date | null }[]>`
    select min(next_run_at) as next from backup_tasks where paused_at is null`;
  return row!.next;
}
