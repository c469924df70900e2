/** Checks the connection limits of roles and databases. Such a limit can be lower than that of the server. */
import type { PostgresqlClient } from "./connection.ts";
import { literal } from "./sql.ts";

/**
 * Returns whether the login is allowed to open two more connections to `database`. The login's role and the
 * database each have a limit on connections. Superusers have no limit. Returns true if the database does not
 * exist. Sets `connection.isLimited` to the opposite of the result.
 *
 * @param maintenanceDatabase Database in which the limits are queried.
 */
export async function allowsTwoConnections(
  { connection, psql }: PostgresqlClient,
  maintenanceDatabase: string,
  database: string,
): Promise<boolean> {
  const used = (condition: string) =>
    `(select count(*) from pg_catalog.pg_stat_activity a where ${condition} and a.pid <> pg_backend_pid())`;
  const [found] = await connection.query<{ has_room: boolean }>(
    psql,
    maintenanceDatabase,
    `select r.rolsuper or (
       (r.rolconnlimit < 0 or r.rolconnlimit - ${used("a.usesysid = r.oid")} >= 2)
       and (d.datconnlimit < 0 or d.datconnlimit - ${used("a.datid = d.oid")} >= 2)
     ) as has_room
     from pg_catalog.pg_roles r, pg_catalog.pg_database d
     where r.rolname = current_user and d.datname = ${literal(database)}`,
  );
  connection.isLimited = found?.has_room === false;
  return !connection.isLimited;
}
