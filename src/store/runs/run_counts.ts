/** Counts each user's runs with triggers: counting rows would take longer the more there are. */
import type { Sql } from "../database/sql.ts";

/** Ids in one span, as in the triggers. */
const SPAN = 10_000;
/** The number of superfluous rows of a user from which adding up is worthwhile. */
const WORTHWHILE = 100;

/** Returns the number of a user's runs, as part of a statement. */
export function runsOf(sql: Sql, userId: number) {
  return sql`(select coalesce(sum(runs), 0)::bigint from run_counts where user_id = ${userId})`;
}

/**
 * Returns the ids (`listed`) of one page of a user's runs, as part of a statement. Skips only rows of the
 * page's own span.
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
 * Adds up the changes into one row per user and span. A replica that does the same concurrently finds no rows
 * left.
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
