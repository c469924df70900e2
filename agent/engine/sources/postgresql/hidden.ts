/** Finds objects that PostgreSQL hides from a login. pg_dump leaves such objects out without an error. */
import type { PostgresqlClient } from "./connection.ts";

/**
 * Returns the user mappings whose options PostgreSQL hides from the login, such as `ada on server archive`.
 * pg_dump stores these mappings without options, and so without their passwords. The system view
 * `pg_user_mappings` hides the options. The query uses the same condition as this view.
 */
export async function findHiddenMappings(
  { connection, psql }: PostgresqlClient,
  database: string,
): Promise<string[]> {
  const rows = await connection.query<{ name: string }>(
    psql,
    database,
    `select case m.umuser when 0 then 'PUBLIC' else m.usename end || ' on server ' || m.srvname as name
     from pg_catalog.pg_user_mappings m
     join pg_catalog.pg_foreign_server s on s.oid = m.srvid
     join pg_catalog.pg_roles r on r.rolname = current_user
     where not r.rolsuper and not case m.umuser
       when 0 then pg_has_role(s.srvowner, 'usage')
       else m.usename = current_user
         and (pg_has_role(s.srvowner, 'usage') or has_server_privilege(s.oid, 'usage'))
     end
     order by 1`,
  );
  return rows.map(({ name }) => name);
}
