/** Quotes for PostgreSQL, and builds SQL that restores and drills share. */
import { RunFailedError } from "../../ports.ts";
import type { PostgresqlConnection } from "./connection.ts";

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Returns an escape string (`E'…'`). Its meaning does not depend on the setting
 * `standard_conforming_strings`.
 */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, "\\$&")}'`;
}

/**
 * Smallest object id (OID) that is not reserved for the server's own objects:
 * https://www.postgresql.org/docs/current/system-catalog-initial-data.html
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
 * Maximum number of attempts in {@link retryWhileInUse}. One attempt is not always enough: a client whose
 * connection was ended can reconnect before the next statement.
 */
const ATTEMPTS = 3;

/**
 * Runs `attempt`, and tries again if the database is still in use by a client.
 *
 * @param attempt Must first end the connections to the database.
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
 * SQL that returns statements for each subscription of the current database. A database with subscriptions
 * cannot be dropped, so the statements drop the subscriptions. They first detach each subscription from its
 * replication slot, because dropping an attached subscription drops the slot too. The backed-up database
 * might still use the slot.
 */
const FORGET_SUBSCRIPTIONS = `select format(
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I;', subname
  ) as statement
  from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
  where d.datname = current_database()`;

/** Returns SQL that makes a template database an ordinary one, because a template cannot be dropped. */
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
 * Drops a database, if it exists. Rejects if a client is connected to the database.
 *
 * @param maintenanceDatabase Another database of the server. The function connects to it to drop `name`.
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
