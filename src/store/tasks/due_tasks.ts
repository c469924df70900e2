/** Finds tasks that are due, and sets when they are due next. */
import type { BackupTaskRow } from "./backup_tasks.ts";
import type { Sql } from "../database/sql.ts";

/**
 * Locks and returns due tasks, the soonest first. Skips tasks that another replica is firing, so each due
 * time fires once.
 */
export function lockDueTasks(sql: Sql, now: Date, limit: number): Promise<BackupTaskRow[]> {
  return sql<BackupTaskRow[]>`
    select * from backup_tasks where next_run_at <= ${now} and paused_at is null
    order by next_run_at, id limit ${limit} for update skip locked`;
}

/** Sets the time at which each of these tasks is due next; null means never. */
export async function setNextRuns(
  sql: Sql,
  tasks: readonly { id: number; next: Date | null }[],
  now: Date,
): Promise<void> {
  await sql`
    update backup_tasks set next_run_at = due.next, planned_at = ${now}
    from unnest(${tasks.map(({ id }) => id)}::bigint[], ${
    tasks.map(({ next }) => next?.toISOString() ?? null)
  }::timestamptz[])
      as due (id, next)
    where backup_tasks.id = due.id`;
}

export async function recordSkipped(
  sql: Sql,
  skipped: readonly { taskId: number; dueAt: Date; activeRunId: number }[],
  now: Date,
): Promise<void> {
  if (skipped.length === 0) return;
  await sql`
    insert into skipped_schedules (backup_task_id, due_at, active_run_id, created_at)
    select *, ${now}::timestamptz from unnest(
      ${skipped.map(({ taskId }) => taskId)}::bigint[],
      ${skipped.map(({ dueAt }) => dueAt.toISOString())}::timestamptz[],
      ${skipped.map(({ activeRunId }) => activeRunId)}::bigint[]
    ) on conflict do nothing`;
}

export async function deleteSkippedBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from skipped_schedules where created_at < ${before}`;
}

/** Returns when the next task is due; null if none has a due time. */
export async function soonestDueTime(sql: Sql): Promise<Date | null> {
  const [row] = await sql<{ next: Date | null }[]>`
    select min(next_run_at) as next from backup_tasks where paused_at is null`;
  return row!.next;
}

/** Locks and returns tasks whose next due time was set after `plannedAfter`, or at an unknown time. */
export function lockTasksPlannedAhead(sql: Sql, plannedAfter: Date, limit: number): Promise<BackupTaskRow[]> {
  return sql<BackupTaskRow[]>`
    select * from backup_tasks
    where next_run_at is not null and paused_at is null and (planned_at is null or planned_at > ${plannedAfter})
    order by id limit ${limit} for update`;
}

/**
 * Returns the last due time of each of these tasks, up to and including `until`. A due time counts only if it
 * was fired or skipped. A task without such a due time is absent.
 */
export async function lastDueTimes(
  sql: Sql,
  taskIds: readonly number[],
  until: Date,
): Promise<Map<number, Date>> {
  const rows = await sql<{ id: number; due: Date }[]>`
    select id, greatest(
      (select scheduled_for from runs where backup_task_id = id_of.id and scheduled_for <= ${until}
        order by runs.id desc limit 1),
      (select max(due_at) from skipped_schedules where backup_task_id = id_of.id and due_at <= ${until})
    ) as due
    from unnest(${[...taskIds]}::bigint[]) id_of(id)`;
  return new Map(rows.filter(({ due }) => due !== null).map(({ due, id }) => [id, due]));
}
