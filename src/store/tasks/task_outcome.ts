/** Reads the results of a task: its newest backup that can be restored, and how its last run ended. */
import type { Outcome } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";

export interface TaskOutcome {
  newest_backup_id: number | null;
  /** When the newest backup was stored. */
  newest_backup_at: Date | null;
  newest_duration_ms: number | null;
  newest_warnings_count: number | null;
  /** Outcome of the last ended backup run; null if a person cancelled the run, or if no run has ended. */
  last_outcome: Outcome | null;
  /** Whether the last ended backup run failed. */
  has_failed: boolean;
  /** Why the last backup run failed; null if it did not fail, or if the reason is not known. */
  failure: string | null;
}

/**
 * Joins tasks `t` with their newest backup and their last ended backup run. Ignores backups that are damaged,
 * deleted, or made from a source that the task no longer has.
 */
export function outcome(sql: Sql) {
  return sql`
    left join lateral (
      select b.id, b.created_at, b.duration_ms, b.warnings_count from backups b
      where b.backup_task_id = t.id and b.removal_requested_at is null and b.damaged_at is null
        and (t.source_changed_at is null or coalesce(
          (select max(leased_at) from run_attempts where run_id = b.run_id), b.created_at
        ) > t.source_changed_at)
      order by b.created_at desc, b.id desc limit 1
    ) newest on true
    left join lateral (
      select ${outcomeOfRuns(sql)} as outcome, r.reason
      from runs r where r.backup_task_id = t.id and r.kind = 'backup'
        and r.state in ('succeeded', 'failed', 'cancelled', 'lost')
      order by r.id desc limit 1
    ) last on true`;
}

/** The columns of {@link TaskOutcome}. */
export function outcomeColumns(sql: Sql) {
  return sql`
    newest.id as newest_backup_id, newest.created_at as newest_backup_at, newest.duration_ms as newest_duration_ms,
    newest.warnings_count as newest_warnings_count, last.outcome as last_outcome,
    coalesce(last.outcome = 'failed', false) as has_failed,
    case when last.outcome = 'failed' then last.reason end as failure`;
}

/** Returns SQL for the outcome of runs `r` that have ended, by the rule of `outcomeOfRun`. */
export function outcomeOfRuns(sql: Sql) {
  return sql`case
    when r.state in ('failed', 'lost') or r.state = 'cancelled' and r.timeout_at <= r.finished_at then 'failed'
    when r.state = 'succeeded' then case when r.warnings_count > 0 then 'warnings' else 'succeeded' end
  end`;
}
