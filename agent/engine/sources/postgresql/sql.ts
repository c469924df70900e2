/** SQL that restores and drills put to PostgreSQL. */
import { RunFailedError } from "../../ports.ts";
import type { PostgresqlConnection } from "./connection.ts";
import { identifier, literal } from "./text.ts";

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

/** A client may come back between the end of its connection and what needs the database alone. */
const ATTEMPTS = 3;

/** Tries again where somebody is connected after all. @param attempt Ends connections first. */
export async function insistOn(attempt: () => Promise<void>): Promise<void> {
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
 * A database that holds subscriptions can't be dropped, and a subscription that is dropped takes the slot of
 * its publisher with it, which belongs to the database that was backed up: each is cut off from its slot
 * before.
 */
const FORGET_SUBSCRIPTIONS = `select format(
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I;', subname
  ) as statement
  from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid
  where d.datname = current_database()`;

/** A database that is marked as a template can't be dropped. */
function unmarkTemplate(name: string): string {
  return `do ${
    literal(`begin
    if exists (select from pg_catalog.pg_database where datistemplate and datname = ${literal(name)}) then
      alter database ${identifier(name)} is_template false;
    end if;
  end`)
  }`;
}

/** @param door Another database to be connected to. Rejects where somebody is connected to it. */
export async function dropDatabase(
  connection: PostgresqlConnection,
  psql: string,
  door: string,
  name: string,
): Promise<void> {
  await connection.execute(psql, door, unmarkTemplate(name));
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
