/** Counts each user's runs with triggers, because counting rows takes longer the more rows there are. */
import type { Sql } from "../database/sql.ts";

/** How many run ids one row of `run_counts` spans. The triggers use the same number. */
const SPAN = 10_000;
/**
 * How many rows a user may have in addition to one for each span. If a user has more, the rows are merged.
 */
const WORTHWHILE = 100;

/** Returns SQL for the number of a user's runs. */
export function runsOf(sql: Sql, userId: number) {
  return sql`(select coalesce(sum(runs), 0)::bigint from run_counts where user_id = ${userId})`;
}

/**
 * Returns SQL for the ids (`listed`) of one page of a user's runs, the oldest run first. To find the page, it
 * skips only rows of the span in which the page begins.
 */
export function pageOfRuns(sql: Sql, userId: number, offset: number, limit: number) {
  return sql`(
    select listed from (
      select span, before from (
        select span, sum(runs) as runs, sum(sum(runs)) over (order by span) - sum(runs) as before
        from run_counts where user_id = ${userId} group by span
      ) spans
      where before <= ${offset} and before + runs > ${offset} order by span limit 1
    ) first
    cross join lateral (
      select id as listed from runs where user_id = ${userId} and id >= span * ${SPAN}
      order by id limit ${limit} offset (${offset} - before)::bigint
    ) page
  )`;
}

/**
 * Merges the rows of users who have too many of them, so that one row is left for each span of run ids. If
 * replicas do this at the same time, only one of them finds the rows.
 */
export async function addUpRunCounts(sql: Sql): Promise<void> {
  await sql`
    with taken as (
      delete from run_counts where user_id in (
        select user_id from run_counts group by user_id having count(*) - count(distinct span) > ${WORTHWHILE}
      ) returning user_id, span, runs
    )
    insert into run_counts (user_id, span, runs)
    select user_id, span, sum(runs) from taken where exists (select from users where id = user_id)
    group by user_id, span having sum(runs) <> 0`;
}
