/**
 * Keeps the number of runs of each workspace. Triggers update the numbers, because counting the rows would
 * take longer the more rows there are.
 */
import type { Sql } from "../database/sql.ts";

/** How many run ids one row of `workspace_run_counts` spans. The triggers use the same number. */
const SPAN = 10_000;
/**
 * Maximum number of unnecessary rows of a workspace. If a workspace has more, its rows are merged. One row is
 * necessary for each user and span.
 */
const WORTHWHILE = 100;

/** Returns SQL for the number of a workspace's runs. */
export function runsOf(sql: Sql, workspaceId: number) {
  return sql`(select coalesce(sum(runs), 0)::bigint from workspace_run_counts where workspace_id = ${workspaceId})`;
}

/**
 * Returns SQL for the ids of one page of a workspace's runs, the oldest run first. The ids are in the column
 * `listed`.
 *
 * A span is a range of run ids. `workspace_run_counts` has the number of the workspace's runs in each span.
 * From these numbers, Postgres finds the span in which the page begins. To reach the page, it then skips only
 * earlier runs of this span, not all earlier runs.
 */
export function pageOfRuns(sql: Sql, workspaceId: number, offset: number, limit: number) {
  return sql`(
    select listed from (
      select span, before from (
        select span, sum(runs) as runs, sum(sum(runs)) over (order by span) - sum(runs) as before
        from workspace_run_counts where workspace_id = ${workspaceId} group by span
      ) spans
      where before <= ${offset} and before + runs > ${offset} order by span limit 1
    ) first
    cross join lateral (
      select id as listed from runs where workspace_id = ${workspaceId} and id >= span * ${SPAN}
      order by id limit ${limit} offset (${offset} - before)::bigint
    ) page
  )`;
}

/**
 * Merges the rows of each workspace that has too many rows. One row is left for each user and each span of
 * run ids. If several replicas do this at the same time, only one of them finds the rows.
 */
export async function addUpRunCounts(sql: Sql): Promise<void> {
  await sql`
    with taken as (
      delete from workspace_run_counts where workspace_id in (
        select workspace_id from workspace_run_counts group by workspace_id
        having count(*) - count(distinct (user_id, span)) > ${WORTHWHILE}
      ) returning workspace_id, user_id, span, runs
    )
    insert into workspace_run_counts (workspace_id, user_id, span, runs)
    select workspace_id, user_id, span, sum(runs) from taken
    where exists (select from workspaces where id = workspace_id)
    group by workspace_id, user_id, span having sum(runs) <> 0`;
}
