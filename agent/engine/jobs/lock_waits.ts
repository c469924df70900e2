/** Finds the sessions that hold the lock that a run's database session waits for. */
import type { DatabaseSource, Job } from "../../../src/protocol/job.ts";
import { Children } from "../programs/children.ts";
import type { RunPorts } from "../ports.ts";
import type { RunningProgram } from "../programs/program_activity.ts";
import type { ProgramContext } from "../run_context.ts";
import { fromHex, MysqlConnection } from "../sources/mysql/connection.ts";
import { type PostgresqlClient, PostgresqlConnection } from "../sources/postgresql/connection.ts";
import { findMaintenanceDatabase } from "../sources/postgresql/databases.ts";
import { literal } from "../sources/postgresql/text.ts";
import { installations, programPath } from "../sources/postgresql/programs.ts";
import { userToRunAs } from "../programs/find_user.ts";
import { firstTool } from "../programs/tools.ts";

/** Time limit of the queries, because the database server may hang. Milliseconds. */
const QUERY_TIMEOUT = 15_000;
/** Number of sessions that are listed. */
const MAX_LISTED = 3;

type Login = Pick<DatabaseSource, "host" | "port" | "username" | "password">;

/**
 * Returns the database server that a job works with, or null if there is none. `engine` is null if the job
 * does not contain it.
 */
function serverOf(
  job: Job,
): { login: Login; engine: "postgresql" | "mysql" | null; runAs: string | null } | null {
  if (job.kind === "backup") {
    const { source } = job;
    return source.type === "database" ? { login: source, engine: source.engine, runAs: job.run_as } : null;
  }
  const target = job.kind === "verify" ? undefined : job.target;
  return target?.type === "database" ? { login: target, engine: target.engine, runAs: target.run_as } : null;
}

/**
 * Returns one line about the sessions that block the run; null if it waits for no lock. Rejects if the server
 * can't be queried.
 */
export async function findLockWait(
  job: Job,
  ports: RunPorts,
  programs: readonly RunningProgram[],
): Promise<string | null> {
  const server = serverOf(job);
  if (server === null) return null;
  const isMysql = programs.some(({ name }) => /^(mysql|mariadb)/.test(name));
  const engine = server.engine ?? (isMysql ? "mysql" : "postgresql");
  const workDirectory = await Deno.makeTempDir({ dir: ports.workDirectory });
  // A separate signal, so that these programs don't count as the run's activity.
  const signal = AbortSignal.any([ports.signal, AbortSignal.timeout(QUERY_TIMEOUT)]);
  const own = { ...ports, signal, workDirectory };
  await using children = new Children(ports.clock, signal);
  const user = await userToRunAs(children, server.runAs);
  const context: ProgramContext = { job: { run_as: server.runAs }, ports: own, children, user };
  try {
    return engine === "mysql"
      ? await queryMysql(server.login, context)
      : await queryPostgresql(server.login, namesOf(job), context);
  } finally {
    await Deno.remove(workDirectory, { recursive: true });
  }
}

/** Returns the job's databases, because the login may have no access to the default ones. */
function namesOf(job: Job): string[] {
  if (job.kind === "backup") return job.source.type === "database" ? job.source.names : [];
  return job.backup.objects.flatMap(({ database }) => database ?? []);
}

interface Blocker {
  pid: number;
  username: string | null;
  application: string;
  address: string;
  state: string | null;
  seconds: number | null;
  /** The object id of the database in which the session waits. */
  database: number;
}

const PROGRAMS = "'rearguard', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql'";

async function queryPostgresql(
  login: Login,
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
  // Process id 0: the lock belongs to a prepared transaction, which has no session.
  const prepared = blockers.find(({ pid }) => pid === 0);
  if (prepared !== undefined) return await describePrepared({ connection, psql }, door, prepared.database);
  return `It waits for a lock that is held by ${joinNames(blockers.map(describePostgresql))}. ` +
    `To end a session: select pg_terminate_backend(${blockers[0]!.pid}).`;
}

/** Describes the prepared transactions of a database, which keep their locks until the second phase. */
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

async function queryMysql(login: Login, context: ProgramContext): Promise<string | null> {
  const connection = await MysqlConnection.open(login, context);
  const client = await firstTool(context.children, ["mariadb", "mysql"]);
  if (client === null) return null;
  const rows = await connection.query(
    client.tool,
    `select id, hex(user), hex(host), hex(command), time, hex(coalesce(state, '')) from information_schema.processlist
     where id <> connection_id() order by time desc`,
  );
  const sessions = rows.map(([id, user, host, command, time, state]) => ({
    id: Number(id),
    user: fromHex(user!),
    host: fromHex(host!),
    command: fromHex(command!),
    seconds: Number(time),
    state: fromHex(state!),
  }));
  const isWaiting = ({ state }: { state: string }) => /^waiting for .*(lock|flush)/i.test(state);
  const own = sessions.find((session) => isWaiting(session) && session.user === connection.username);
  if (own === undefined) return null;
  const others = sessions.filter((session) =>
    !isWaiting(session) && session.command !== "Daemon" &&
    !/^(system user|event_scheduler)$/.test(session.user)
  );
  const named = others.map(({ command, host, id, seconds, user }) =>
    `session ${id} (user ${user}, from ${host}, ${command} for ${seconds} s)`
  );
  const holders = named.length === 0
    ? "The login sees no other session: GRANT PROCESS shows who holds it."
    : `It may be held by ${joinNames(named)}. To end a session: KILL ${others[0]!.id}.`;
  return `It waits for a lock (${own.state}). ${holders}`;
}

function joinNames(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
