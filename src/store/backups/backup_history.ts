/** Returns the usual stats of a task, from its last backups. */
import { HISTORY_LENGTH, HISTORY_MINIMUM, type UsualStats } from "../../domain/guards.ts";
import type { Sql } from "../database/sql.ts";

/**
 * Returns medians over the task's newest backups that are stored, not suspicious, complete, and made since
 * the source was last changed. Null if there are too few. A single value is null if too few backups have it.
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
        and (t.source_changed_at is null or ${assignedAt(sql)} > t.source_changed_at)
      order by b.created_at desc, b.id desc limit ${HISTORY_LENGTH}
    ) last`;
  return row!.backups_count < HISTORY_MINIMUM ? null : row!;
}

/** Returns the median; for an even number of values, the mean of the middle two. */
function median(sql: Sql, figure: ReturnType<Sql>) {
  return sql`
    case when count(${figure}) >= ${HISTORY_MINIMUM}
      then percentile_cont(0.5) within group (order by (${figure})::double precision) end`;
}

/**
 * Returns when the run of backup `b` was assigned. A source that changes while the run is active is not the
 * source it stores.
 */
function assignedAt(sql: Sql) {
  return sql`
    coalesce((select max(leased_at) from run_attempts where run_id = b.run_id), b.created_at)`;
}
