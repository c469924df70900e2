/** How many runs each user has, kept up by triggers: counting them would take longer the more there are. */
import type { Sql } from "./database.ts";

/** Rows of a user that are worth adding up. */
const WORTHWHILE = 100;

/** The number of a user's runs, as part of a statement. */
export function runsOf(sql: Sql, userId: number) {
  return sql`(select coalesce(sum(runs), 0)::bigint from run_counts where user_id = ${userId})`;
}

/** Adds up what has changed, one row a user. Another replica that does the same finds nothing left. */
export async function addUpRunCounts(sql: Sql): Promise<void> {
  await sql`
    with taken as (
      delete from run_counts where user_id in (
        select user_id from run_counts group by user_id having count(*) > ${WORTHWHILE}
      ) returning user_id, runs
    )
    insert into run_counts (user_id, runs)
    select user_id, sum(runs) from taken where exists (select from users where id = user_id) group by user_id`;
}
