/** Adds up the backups that are stored at destinations. */
import type { Sql } from "../database/sql.ts";

export interface UsageRow {
  readonly id: number;
  readonly stored_bytes: number;
  readonly backups_count: number;
  /** Whether the backups at the destination come from more than one server. */
  readonly has_several_servers: boolean;
  /** Growth since `grown_since`, in bytes. */
  readonly grown_bytes: number;
  /**
   * Start of the period of `grown_bytes`: the requested time, or the time of the first change if that is
   * later. Null if nothing was ever stored.
   */
  readonly grown_since: Date | null;
}

/**
 * Returns what is stored at destinations of a workspace, and how much the stored data has grown.
 *
 * @param since Beginning of the period for which the growth is computed.
 */
export function usageOf(
  sql: Sql,
  workspaceId: number,
  ids: readonly number[],
  since: Date,
): Promise<UsageRow[]> {
  const history = sql`
    storage_history_with_changes
    where workspace_id = ${workspaceId} and scope = 'destination' and scope_id = d.id`;
  return sql<UsageRow[]>`
    select d.id, coalesce(stored.bytes, 0) as stored_bytes, coalesce(stored.count, 0) as backups_count,
      coalesce(stored.has_several_servers, false) as has_several_servers, grown.bytes as grown_bytes,
      greatest((select min(slot) from ${history}), case when exists (select from ${history}) then ${since}::timestamptz end)
        as grown_since
    from unnest(${[...ids]}::bigint[]) d (id)
    left join (
      select backup_destination_id as id, count(*)::integer as count, sum(size::double precision) as bytes,
        min(remote_server_id) <> max(remote_server_id) as has_several_servers
      from backups where backup_destination_id = any(${[...ids]}::bigint[]) group by 1
    ) stored on stored.id = d.id
    cross join lateral (
      select coalesce(sum((added_bytes - removed_bytes)::double precision), 0) as bytes from ${history} and slot >= ${since}
    ) grown`;
}

export interface TaskUsageRow {
  /** Null if the task is deleted. */
  readonly backup_task_id: number | null;
  readonly label: string | null;
  readonly stored_bytes: number;
  readonly backups_count: number;
}

/** Returns how much is stored at a destination for each task, the largest first. */
export function usageByTask(sql: Sql, destinationId: number): Promise<TaskUsageRow[]> {
  return sql<TaskUsageRow[]>`
    select stored.*, t.label from (
      select backup_task_id, sum(size::double precision) as stored_bytes, count(*)::integer as backups_count
      from backups where backup_destination_id = ${destinationId} group by backup_task_id
    ) stored left join backup_tasks t on t.id = stored.backup_task_id
    order by stored_bytes desc, backup_task_id`;
}
