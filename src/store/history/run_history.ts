/**
 * Reads how many backup runs ended with each outcome, by day. The database's triggers write these numbers,
 * see the migration `run_history`.
 */
import type { Sql } from "../database/sql.ts";

/** Selects the runs of a whole workspace, or those of one of its servers or tasks. */
export interface RunHistoryScope {
  readonly scope: "workspace" | "server" | "task";
  /** Id of the workspace, server or task. */
  readonly id: number;
}

export interface RunCounts {
  readonly succeeded: number;
  /** Runs that succeeded with warnings. `succeeded` does not include them. */
  readonly warnings: number;
  readonly failed: number;
  /** Runs that a person cancelled. */
  readonly cancelled: number;
  /** Due times at which no run was queued, because an earlier run of the task was active. */
  readonly skipped: number;
}

/**
 * Counts the runs of each day. `day` is the index of the day, from 0. Days without runs are absent.
 *
 * @param boundaries When each day begins, and when the last one ends.
 */
export function countRunsByDay(
  sql: Sql,
  workspaceId: number,
  { scope, id }: RunHistoryScope,
  boundaries: readonly Date[],
): Promise<(RunCounts & { day: number })[]> {
  return sql<(RunCounts & { day: number })[]>`
    select width_bucket(slot, ${boundaries.map((each) => each.toISOString())}::timestamptz[]) - 1 as day,
      sum(succeeded)::integer as succeeded, sum(warnings)::integer as warnings, sum(failed)::integer as failed,
      sum(cancelled)::integer as cancelled, sum(skipped)::integer as skipped
    from run_history_with_changes
    where workspace_id = ${workspaceId} and scope = ${scope} and scope_id = ${id}
      and slot >= ${boundaries[0]!} and slot < ${boundaries.at(-1)!}
    group by day`;
}

/** Maximum number of changes that one call merges. The next call merges the rest. */
const AT_ONCE = 50_000;

/**
 * Adds the pending changes to the counts in `run_history`. Each change is added only once, even if several
 * replicas call this at the same time.
 */
export async function mergeRunHistory(sql: Sql): Promise<void> {
  await sql`
    with taken as (
      delete from run_history_changes where ctid = any(array(
        select ctid from run_history_changes order by workspace_id, scope, scope_id, slot limit ${AT_ONCE}
        for update skip locked
      )) returning *
    )
    insert into run_history as kept (workspace_id, scope, scope_id, slot, succeeded, warnings, failed, cancelled, skipped)
    select workspace_id, scope, scope_id, slot, sum(succeeded), sum(warnings), sum(failed), sum(cancelled), sum(skipped)
    from taken group by workspace_id, scope, scope_id, slot order by workspace_id, scope, scope_id, slot
    on conflict (workspace_id, scope, scope_id, slot) do update set succeeded = kept.succeeded + excluded.succeeded,
      warnings = kept.warnings + excluded.warnings, failed = kept.failed + excluded.failed,
      cancelled = kept.cancelled + excluded.cancelled, skipped = kept.skipped + excluded.skipped`;
}

export async function deleteRunHistoryBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from run_history where slot < ${before}`;
}
