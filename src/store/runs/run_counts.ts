/** How many runs each user has, kept up by triggers: counting them would take longer the more there are. */
import type { Sql } from "../database/sql.ts";

/** Ids in a span, as the triggers have it. */
const SPAN = 10_000;
/** Rows of a user that are worth adding up. */
const WORTHWHILE = 100;

/** The number of a user's runs, as part of a statement. */
export function runsOf(sql: Sql, userId: number) {
  return sql`(select coalesce(sum(runs), 0)::bigint from run_counts where user_id = ${userId})`;
}

/**
 * The ids (`listed`) of one page of a user's runs, as part of a statement: only those of the page's own span
 * are passed over.
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
 * Adds up what has changed, one row a user and span. Another replica that does the same finds nothing left.
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
