/** Reads the stats of a task's earlier backups and runs. Guards compare a new backup with them. */
import {
  type GuardHistory,
  HISTORY_LENGTH,
  HISTORY_MINIMUM,
  type UsualRuns,
  type UsualStats,
} from "../../domain/guards/guard.ts";
import type { Sql } from "../database/sql.ts";

export async function guardHistory(sql: Sql, taskId: number): Promise<GuardHistory> {
  const [usual, runs] = await Promise.all([usualStats(sql, taskId), usualRuns(sql, taskId)]);
  return { usual, runs };
}

/**
 * Counts the task's newest successful backup runs, and returns their count and median duration. Returns null
 * if there are no such runs. Ignores runs from before the last change of the source. Includes runs whose
 * backups have been deleted.
 */
async function usualRuns(sql: Sql, taskId: number): Promise<UsualRuns | null> {
  const [row] = await sql<UsualRuns[]>`
    select count(*) as runs_count,
      percentile_cont(0.5) within group (order by duration_ms::double precision) as duration_ms
    from (
      select extract(epoch from r.finished_at - r.started_at) * 1000 as duration_ms
      from runs r join backup_tasks t on t.id = r.backup_task_id
      where r.backup_task_id = ${taskId} and r.kind = 'backup' and r.state = 'succeeded'
        and (t.source_changed_at is null or ${
    assignedAt(sql, sql`r.id`, sql`r.started_at`)
  } > t.source_changed_at)
      order by r.id desc limit ${HISTORY_LENGTH}
    ) last`;
  return row!.runs_count === 0 ? null : row!;
}

/**
 * Returns the medians of the stats of the task's newest backups. Uses only backups that are stored, complete,
 * not suspicious, and made since the last change of the source.
 *
 * Returns null if there are fewer than `HISTORY_MINIMUM` such backups. A single median is null if fewer than
 * `HISTORY_MINIMUM` of these backups have a value for it.
 */
export async function usualStats(sql: Sql, taskId: number): Promise<UsualStats | null> {
  const [row] = await sql<UsualStats[]>`
    select count(*) as backups_count,
      ${median(sql, sql`size`)} as size,
      ${median(sql, sql`bytes_read`)} as bytes_read,
      ${median(sql, sql`files_count`)} as files_count,
      ${median(sql, sql`incompressible_share`)} as incompressible_share,
      ${median(sql, sql`size::double precision / bytes_read`)} as compression
    from (
      select b.size, b.bytes_read, b.files_count, b.incompressible_share
      from backups b join backup_tasks t on t.id = b.backup_task_id
      where b.backup_task_id = ${taskId} and b.removal_requested_at is null and b.suspicious_at is null
        and b.missing = '[]'
        and b.bytes_read > 0
        and (t.source_changed_at is null or ${
    assignedAt(sql, sql`b.run_id`, sql`b.created_at`)
  } > t.source_changed_at)
      order by b.created_at desc, b.id desc limit ${HISTORY_LENGTH}
    ) last`;
  return row!.backups_count < HISTORY_MINIMUM ? null : row!;
}

/** Returns SQL for the median of a column; with an even number of values, the mean of the middle two. */
function median(sql: Sql, number: Fragment) {
  return sql`
    case when count(${number}) >= ${HISTORY_MINIMUM}
      then percentile_cont(0.5) within group (order by (${number})::double precision) end`;
}

/**
 * Returns SQL for the time when a run was last assigned. If that time is not recorded, the SQL gives
 * `otherwise`. The run backs up the source that the task had at that time, even if the task gets another
 * source later.
 */
function assignedAt(sql: Sql, runId: Fragment, otherwise: Fragment) {
  return sql`coalesce((select max(leased_at) from run_attempts where run_id = ${runId}), ${otherwise})`;
}

type Fragment = ReturnType<Sql>;
