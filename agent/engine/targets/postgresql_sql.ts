/** SQL that restores and drills put to PostgreSQL. */
import type { PostgresqlConnection } from "../sources/postgresql_connection.ts";

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As an escape string: whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** Objects of a new database have ids below 16384, https://www.postgresql.org/docs/current/system-catalog-initial-data.html. */
const FIRST_OWN_ID = 16384;

export const IS_OCCUPIED = `select
  exists (select from pg_catalog.pg_class where oid >= ${FIRST_OWN_ID} and relpersistence <> 't')
  or exists (select from pg_catalog.pg_proc where oid >= ${FIRST_OWN_ID})
  or exists (select from pg_catalog.pg_type where oid >= ${FIRST_OWN_ID})
  or exists (select from pg_catalog.pg_extension where oid >= ${FIRST_OWN_ID})
  or exists (select from pg_catalog.pg_largeobject_metadata)
  or exists (
    select from pg_catalog.pg_namespace
    where oid >= ${FIRST_OWN_ID} and nspname <> 'public' and nspname !~ '^pg_'
  ) as is_occupied`;

/** Settings whose value is a list of names, quoted as such already: src/bin/pg_dump/dumputils.c, variable_is_guc_list_quote. */
const LISTS = [
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
];

/** A SELECT of statements that give database `to` the grants, the limit and the settings of database `from`. */
export function propertiesToKeep(from: string, to: string): string {
  const name = literal(identifier(to));
  return `
    with d as (select * from pg_catalog.pg_database where datname = ${literal(from)}),
    configured as (
      select setrole, split_part(entry, '=', 1) as variable, substr(entry, strpos(entry, '=') + 1) as value
      from d join pg_catalog.pg_db_role_setting on setdatabase = d.oid, unnest(setconfig) entry
    )
    select format('revoke all on database %s from public', ${name}) as statement from d where datacl is not null
    union all
    select format('grant %s on database %s to %s%s', privilege_type, ${name},
      case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
      case when is_grantable then ' with grant option' else '' end)
    from d, aclexplode(datacl) where grantee <> datdba
    union all
    select format('alter database %s connection limit %s', ${name}, datconnlimit) from d where datconnlimit <> -1
    union all
    select case setrole when 0 then format('alter database %s', ${name})
      else format('alter role %I in database %s', pg_get_userbyid(setrole), ${name}) end ||
      format(' set %I to %s', variable,
        case when variable in (${LISTS.map(literal).join(", ")}) then value else quote_literal(value) end)
    from configured`;
}

export function endConnections(names: readonly string[]): string {
  return `select count(pg_terminate_backend(pid)) from pg_catalog.pg_stat_activity
    where datname in (${names.map(literal).join(", ")}) and pid <> pg_backend_pid()`;
}

/**
 * A database that holds subscriptions can't be dropped, and a subscription that is dropped takes the slot of its publisher with it, which
 * belongs to the database that was backed up: each is cut off from its slot before.
 */
const FORGET_SUBSCRIPTIONS = `select format(
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I;', subname
  ) as statement
  from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
  where d.datname = current_database()`;

/** @param door Another database to be connected to. Rejects where somebody is connected to it. */
export async function dropDatabase(
  connection: PostgresqlConnection,
  psql: string,
  door: string,
  name: string,
): Promise<void> {
  const drop = () => connection.execute(psql, door, `drop database if exists ${identifier(name)}`);
  try {
    await drop();
  } catch (error) {
    if (!/subscription/.test((error as Error).message)) throw error;
    const rows = await connection.query<{ statement: string }>(psql, name, FORGET_SUBSCRIPTIONS);
    for (const { statement } of rows) await connection.execute(psql, name, statement);
    await drop();
  }
}
