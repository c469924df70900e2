/**
 * Drops databases of restores and drills whose agent was killed. A running restore or drill stays connected
 * to its databases, so its databases are not dropped.
 */
import { type Output, RunFailedError } from "../../ports.ts";
import type { PostgresqlClient } from "./connection.ts";
import { isOwnName, MARK, MOVED_ASIDE } from "../database/scratch_names.ts";
import { dropDatabase, literal } from "./sql.ts";

/**
 * Drops databases that restores and drills were loading, and originals that restores had already replaced.
 * Keeps an original that a restore has renamed but not replaced yet. The next restore renames it back.
 */
export async function dropAbandoned(
  { connection, psql }: PostgresqlClient,
  maintenanceDatabase: string,
  output: Output,
): Promise<void> {
  const found = await connection.query<{ name: string }>(
    psql,
    maintenanceDatabase,
    `select datname as name from pg_catalog.pg_database d
     where starts_with(shobj_description(oid, 'pg_database'), ${literal(MARK)})
       and not starts_with(shobj_description(oid, 'pg_database'), ${literal(MOVED_ASIDE)})
       and not exists (select from pg_catalog.pg_stat_activity a where a.datid = d.oid)
     order by datname`,
  );
  for (const { name } of found) {
    if (!isOwnName(name)) continue;
    try {
      await dropDatabase(connection, psql, maintenanceDatabase, name);
      output.line(`Dropped database ${name}, which a restore or a drill left after its agent ended`);
    } catch (error) {
      if (!(error instanceof RunFailedError)) throw error;
      output.line(
        `Database ${name} is a leftover of a restore or a drill, and can't be dropped: ${error.message}`,
      );
    }
  }
}
