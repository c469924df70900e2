/** Reads the last backup runs of tasks, for charts and strips. */
import type { Outcome, RunTrigger } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";
import { outcomeOfRuns } from "../tasks/task_outcome.ts";

/** An ended backup run with the stats of its backup. */
export interface TaskRun {
  readonly id: number;
  readonly created_at: Date;
  /** Null if no agent began the run. */
  readonly started_at: Date | null;
  readonly finished_at: Date;
  /** Null if a person cancelled the run. */
  readonly outcome: Outcome | null;
  readonly trigger: RunTrigger;
  readonly read_bytes: number;
  /** Stored bytes of the run's backup; 0 if the run stored none. */
  readonly stored_bytes: number;
  readonly files_count: number | null;
  readonly warnings_count: number;
  /** The run's backup; null if the run stored none, or if the backup is deleted. */
  readonly backup_id: number | null;
  readonly reason: string | null;
}

const ended = (sql: Sql) => sql`kind = 'backup' and state in ('succeeded', 'failed', 'cancelled', 'lost')`;

/** Returns the last ended backup runs of a task, at most `limit`, the oldest first. */
export function lastRunsOfTask(sql: Sql, taskId: number, limit: number): Promise<TaskRun[]> {
  return sql<TaskRun[]>`
    select r.id, r.created_at, r.started_at, r.finished_at, ${outcomeOfRuns(sql)} as outcome, r.trigger,
      r.bytes_read as read_bytes, case when r.state = 'succeeded' then r.bytes_written else coalesce(b.size, 0) end as stored_bytes,
      r.files_count, r.warnings_count, b.id as backup_id, r.reason
    from (
      select * from runs where backup_task_id = ${taskId} and ${ended(sql)} order by id desc limit ${limit}
    ) r
    left join lateral (select id, size from backups where run_id = r.id order by id limit 1) b on true
    order by r.id`;
}

/** The last runs of one task, the oldest first. Equal positions in the lists are about the same run. */
export interface TaskStrip {
  readonly backup_task_id: number;
  readonly ids: readonly number[];
  /** When each run was queued, in seconds since the epoch. */
  readonly created: readonly number[];
  readonly outcomes: readonly (Outcome | "cancelled")[];
}

/**
 * Returns the last ended backup runs of several tasks of a workspace, at most `limit` for each task. Tasks
 * without such runs have empty lists.
 *
 * @param taskIds Null for all tasks of the workspace.
 */
export function lastRunsOfTasks(
  sql: Sql,
  workspaceId: number,
  taskIds: readonly number[] | null,
  limit: number,
): Promise<TaskStrip[]> {
  const chosen = taskIds === null ? sql`true` : sql`t.id = any(${[...taskIds]}::bigint[])`;
  return sql<TaskStrip[]>`
    select t.id as backup_task_id, coalesce(strip.ids, '{}') as ids, coalesce(strip.created, '{}') as created,
      coalesce(strip.outcomes, '{}') as outcomes
    from backup_tasks t cross join lateral (
      select array_agg(r.id::double precision order by r.id) as ids,
        array_agg(extract(epoch from r.created_at)::double precision order by r.id) as created,
        array_agg(coalesce(${outcomeOfRuns(sql)}, 'cancelled') order by r.id) as outcomes
      from (
        select id, created_at, finished_at, timeout_at, state, warnings_count
        from runs where backup_task_id = t.id and ${ended(sql)} order by id desc limit ${limit}
      ) r
    ) strip
    where t.workspace_id = ${workspaceId} and ${chosen} order by t.id`;
}
