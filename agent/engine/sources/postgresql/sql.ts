/** Quoting for PostgreSQL, and SQL statements of restores and drills. */
import { RunFailedError } from "../../ports.ts";
import type { PostgresqlConnection } from "./connection.ts";

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns an escape string, which does not depend on `standard_conforming_strings`. */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, "\\$&")}'`;
}

/**
 * Objects of a new database have ids below 16384,
 * https://www.postgresql.org/docs/current/system-catalog-initial-data.html.
 */
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

export function endConnections(names: readonly string[]): string {
  return `select count(pg_terminate_backend(pid)) from pg_catalog.pg_stat_activity
    where datname in (${names.map(literal).join(", ")}) and pid <> pg_backend_pid()`;
}

/**
 * Maximum number of attempts: a client may reconnect after its connection was ended, before the statement
 * that needs the database alone.
 */
const ATTEMPTS = 3;

/**
 * Tries again if a client is still connected.
 *
 * @param attempt Ends connections first.
 */
export async function retryWhileInUse(attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isInUse = error instanceof RunFailedError &&
        /is being accessed by other users/.test(error.message);
      if (!isInUse || tries === ATTEMPTS) throw error;
    }
  }
}

/**
 * Statements that detach subscriptions from their slots and drop them. A database with subscriptions cannot
 * be dropped. A dropped subscription also drops its publisher's slot, which belongs to the database that was
 * backed up, so it is detached first.
 */
const FORGET_SUBSCRIPTIONS = `select format(
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I;', subname
  ) as statement
  from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
  where d.datname = current_database()`;

/** Removes the template mark, because a template database cannot be dropped. */
function unmarkTemplate(name: string): string {
  return `do ${
    literal(`begin
    if exists (select from pg_catalog.pg_database where datistemplate and datname = ${literal(name)}) then
      alter database ${identifier(name)} is_template false;
    end if;
  end`)
  }`;
}

/**
 * Drops a database. Rejects if a client is connected to it.
 *
 * @param maintenanceDatabase Another database, to connect to.
 */
export async function dropDatabase(
  connection: PostgresqlConnection,
  psql: string,
  maintenanceDatabase: string,
  name: string,
): Promise<void> {
  await connection.execute(psql, maintenanceDatabase, unmarkTemplate(name));
  const drop = () =>
    connection.execute(psql, maintenanceDatabase, `drop database if exists ${identifier(name)}`);
  try {
    await drop();
  } catch (error) {
    if (!/subscription/.test((error as Error).message)) throw error;
    const rows = await connection.query<{ statement: string }>(psql, name, FORGET_SUBSCRIPTIONS);
    for (const { statement } of rows) await connection.execute(psql, name, statement);
    await drop();
  }
}
