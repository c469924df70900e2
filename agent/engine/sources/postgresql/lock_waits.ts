/** Finds the sessions that block the run: they hold a lock, and a session of the run waits for it. */
import type { ProgramContext } from "../../run_context.ts";
import { joinNames } from "../database/lock_holders.ts";
import { type PostgresqlClient, PostgresqlConnection } from "./connection.ts";
import { findMaintenanceDatabase } from "./databases.ts";
import { installations, programPath } from "./programs.ts";
import { literal } from "./sql.ts";

interface Blocker {
  pid: number;
  username: string | null;
  application: string;
  address: string;
  state: string | null;
  seconds: number | null;
  /** Object id of the database in which the run's session waits. */
  database: number;
}

const PROGRAMS = "'rearguard', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql'";

/**
 * Describes the lock that the run waits for. Returns null if the run waits for no lock.
 *
 * @param names Databases to connect to. They are tried before the usual databases, because the login might
 *   have no access to the usual ones.
 */
export async function findLockWait(
  login: Parameters<typeof PostgresqlConnection.open>[0],
  names: readonly string[],
  context: ProgramContext,
): Promise<string | null> {
  const connection = await PostgresqlConnection.open(login, context);
  const [installed] = await installations(context.children);
  const psql = programPath(installed!, "psql");
  const door = await findMaintenanceDatabase(connection, psql, names);
  const blockers = await connection.query<Blocker>(
    psql,
    door,
    `select distinct blocking.pid, b.usename as username, coalesce(b.application_name, '') as application,
       coalesce(host(b.client_addr), 'the local socket') as address, b.state,
       extract(epoch from now() - b.xact_start)::bigint as seconds, w.datid::bigint as database
     from pg_stat_activity w cross join lateral unnest(pg_blocking_pids(w.pid)) as blocking (pid)
     left join pg_stat_activity b on b.pid = blocking.pid
     where w.wait_event_type = 'Lock' and w.usename = current_user and w.application_name in (${PROGRAMS})
     order by seconds desc nulls last`,
  );
  if (blockers.length === 0) return null;
  // Process id 0 means that a prepared transaction holds the lock. Such a transaction has no session.
  const prepared = blockers.find(({ pid }) => pid === 0);
  if (prepared !== undefined) return await describePrepared({ connection, psql }, door, prepared.database);
  return `It waits for a lock that is held by ${joinNames(blockers.map(describePostgresql))}. ` +
    `To end a session: select pg_terminate_backend(${blockers[0]!.pid}).`;
}

/**
 * Describes the prepared transactions of a database. Prepared transactions hold their locks until COMMIT
 * PREPARED or ROLLBACK PREPARED.
 */
async function describePrepared(
  { connection, psql }: PostgresqlClient,
  door: string,
  database: number,
): Promise<string> {
  const found = await connection.query<{ gid: string; owner: string; seconds: number }>(
    psql,
    door,
    `select p.gid, p.owner, extract(epoch from now() - p.prepared)::bigint as seconds
     from pg_prepared_xacts p join pg_database d on d.datname = p.database
     where d.oid = ${database} order by p.prepared`,
  );
  const named = found.map(({ gid, owner, seconds }) => `${gid} (of ${owner}, prepared ${seconds} s ago)`);
  return `It waits for a lock that is held by a prepared transaction: ${joinNames(named)}. ` +
    `To end one, in its database: rollback prepared${literal(found[0]?.gid ?? "")}.`;
}

function describePostgresql({ address, application, pid, seconds, state, username }: Blocker): string {
  const who = [username === null ? null : `user ${username}`, `from ${address}`, application]
    .filter((part) => part !== null && part !== "").join(", ");
  const since = seconds === null ? "" : `, in a transaction for ${seconds} s`;
  return `session ${pid} (${who}${state === null ? "" : `, ${state}`}${since})`;
}
