/**
 * Checks connection limits of roles and databases, which may allow a login fewer connections than the server.
 */
import type { PostgresqlClient } from "./connection.ts";
import { literal } from "./sql.ts";

/**
 * Whether the limits of the login's role and of a database allow two more connections. Superusers have no
 * limits.
 *
 * @param maintenanceDatabase Database to connect to.
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
  return found?.has_room ?? true;
}
