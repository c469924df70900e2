/** Opens the connections to Postgres, and runs transactions. */
import postgres from "postgres";
import { parseDatabaseUrl, type ServerAddress } from "../../domain/database/database_url.ts";
import { type Backends, DatabaseServers } from "./database_servers.ts";
import { auditedRequest } from "../access/audited_request.ts";
import { beginOnce } from "./lost_transactions.ts";
import type { Database, Sql } from "./sql.ts";

const serversOf = new WeakMap<Database, DatabaseServers>();

/**
 * Opens a pool. `int8` is parsed as a number (ids and byte counts stay under 2^53), `timestamptz` as a
 * `Date`. With several servers, each connection goes to the one that is writable at that time.
 *
 * @param url A `postgres://` URL, or null for the options' own host (a socket directory).
 */
export function openDatabase(
  url: string | null,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
): Database {
  const address = url === null ? null : parseDatabaseUrl(url);
  if (url !== null && address === null) {
    throw new TypeError("Cannot open the database: its URL can't be read");
  }
  const servers = address === null
    ? []
    : address.servers.length > 0
    ? address.servers
    : [defaultServer(address.port)];
  const settings = {
    max: 10,
    onnotice: () => {},
    ...options,
    ...(address === null ? {} : shownAddress(servers)),
    ...(address === null || address.database === null ? {} : { database: address.database }),
    // The sockets passed to postgres.js are already encrypted.
    ssl: false,
    connection: { application_name: "rearguard", ...KEEPALIVES },
    // postgres.js 3.4.9 accepts a hot standby for `read-write`.
    target_session_attrs: "primary" as const,
    types: {
      bigint: {
        to: 20,
        from: [20],
        serialize: (value: number) => String(value),
        parse: (text: string) => Number(text),
      },
    },
  };
  const database =
    (address === null ? postgres(settings) : postgres(address.url, settings)) as unknown as Database;
  const { host, port } = database.options;
  const reached = new DatabaseServers(
    servers.length > 0 ? servers : [{ host: host[0]!, port: port[0]! }],
    address?.tls ?? null,
    () => database.options as never,
  );
  Object.assign(database.options, { socket: () => reached.openSocket() });
  serversOf.set(database, reached);
  return database;
}

/** Directories in which libpq looks for the socket of a server without a host. */
const SOCKET_DIRECTORIES = ["/run/postgresql", "/tmp"];

/**
 * Returns the server for a URL without one: the environment's, else the one whose socket exists, else
 * localhost.
 */
function defaultServer(urlPort: number | null): ServerAddress {
  const port = urlPort ?? Number(Deno.env.get("PGPORT") || 5432);
  const host = Deno.env.get("PGHOST") || SOCKET_DIRECTORIES.find((directory) => hasSocket(directory, port));
  return { host: host ?? "localhost", port };
}

function hasSocket(directory: string, port: number): boolean {
  try {
    return Deno.lstatSync(`${directory}/.s.PGSQL.${port}`).isSocket === true;
  } catch {
    return false; // none that this process can see
  }
}

/**
 * Settings for the server, in seconds: a control plane whose machine is gone must not keep its locks for two
 * hours.
 */
const KEEPALIVES = { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3 };

/**
 * Returns the address that postgres.js gets. With several servers, it would try the next one forever without
 * a pause, so it gets only one; its errors name all.
 */
function shownAddress(servers: readonly ServerAddress[]): { host?: string; port?: number } {
  const last = servers.at(-1);
  if (last === undefined) return {};
  const others = servers.slice(0, -1).map(({ host, port }) => `${host}:${port},`);
  // postgres.js would split a text into a list.
  const host = [others.join("") + last.host] as unknown as string;
  return { host, port: [last.port] as unknown as number };
}

/**
 * Closes the pool's connections that were opened before that moment of the monotonic clock, and those to
 * other server processes than these. The pool opens new ones.
 */
export function dropConnections(
  database: Database,
  openedBefore = Infinity,
  backends: Backends | null = null,
): void {
  serversOf.get(database)?.drop(openedBefore, backends);
}

/** Functions to call once a transaction is committed. */
const waiting = new WeakMap<Sql, (() => void)[]>();

/**
 * Runs `work` in one transaction, which ends when its connection closes. `work` must not call any network
 * service except Postgres. If the transaction makes the change of the current request, it also adds the
 * request's audit log entry.
 */
export async function transaction<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  const after: (() => void)[] = [];
  const begin = (work: (sql: Sql) => Promise<T>) =>
    beginOnce(database, (sql) => {
      waiting.set(sql, after);
      return work(sql);
    });
  const result = await (auditedRequest()?.within(begin, work) ?? begin(work));
  for (const act of after) act();
  return result;
}

/**
 * Calls `act`, which must not throw, once the transaction `sql` is committed, and never if it is rolled back.
 * Outside a transaction, calls it at once.
 */
export function afterCommit(sql: Sql, act: () => void): void {
  const after = waiting.get(sql);
  if (after === undefined) act();
  else after.push(act);
}
