/** Opens the connections to Postgres, and runs transactions. */
import postgres from "postgres";
import { parseDatabaseUrl, type ServerAddress } from "../../domain/database/database_url.ts";
import { type Backends, DatabaseServers } from "./database_servers.ts";
import { auditedRequest } from "../access/audited_request.ts";
import { beginOnce } from "./lost_transactions.ts";
import type { Database, Sql } from "./sql.ts";

const serversOf = new WeakMap<Database, DatabaseServers>();

/**
 * Opens a pool of connections. If the URL names several servers, each connection goes to the server that is
 * writable at that time. Reads `timestamptz` as a `Date`. Reads `int8` as a number, because ids and byte
 * counts stay under 2^53.
 *
 * @param url A `postgres://` URL, or null if `options` contain the address, such as a socket directory.
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
    // Turn off TLS in postgres.js, because the sockets that it gets are already encrypted.
    ssl: false,
    connection: { application_name: "rearguard", ...KEEPALIVES },
    // With `read-write`, postgres.js 3.4.9 would take a hot standby for a writable server.
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

/** Directories in which libpq looks for the server's socket if the URL names no host. */
const SOCKET_DIRECTORIES = ["/run/postgresql", "/tmp"];

/**
 * Returns the server for a URL without a host: the server that PGHOST names. If PGHOST is not set, returns
 * the server whose socket exists. If there is no socket, returns localhost.
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
 * Keepalive settings of the server's end of each connection, in seconds. Without them, a control plane whose
 * machine is gone would keep its locks for two hours.
 */
const KEEPALIVES = { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3 };

/**
 * Returns the address to pass to postgres.js. It is only shown in errors, because postgres.js gets its
 * sockets from {@link DatabaseServers}. Joins all servers into one address: if postgres.js got several
 * addresses, it would try one after another forever, without a pause.
 */
function shownAddress(servers: readonly ServerAddress[]): { host?: string; port?: number } {
  const last = servers.at(-1);
  if (last === undefined) return {};
  const others = servers.slice(0, -1).map(({ host, port }) => `${host}:${port},`);
  // Pass an array, because postgres.js would split a string at its commas.
  const host = [others.join("") + last.host] as unknown as string;
  return { host, port: [last.port] as unknown as number };
}

/**
 * Closes the pool's connections that were opened before `openedBefore`, a time of the monotonic clock. If
 * `backends` is given, also closes the pool's connections to server processes that are not among `backends`.
 * The pool replaces closed connections by new ones.
 */
export function dropConnections(
  database: Database,
  openedBefore = Infinity,
  backends: Backends | null = null,
): void {
  serversOf.get(database)?.drop(openedBefore, backends);
}

/** Functions to call once their transaction is committed. */
const waiting = new WeakMap<Sql, (() => void)[]>();

/**
 * Runs `work` in one transaction, and commits it. If the connection closes, the transaction ends, too. `work`
 * must not use the network except for its queries. If the current request has an audit entry, the
 * transaction also stores this entry.
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
 * Calls `act` once the transaction `sql` is committed; never if it is rolled back. Outside a transaction,
 * calls it at once. `act` must not throw.
 */
export function afterCommit(sql: Sql, act: () => void): void {
  const after = waiting.get(sql);
  if (after === undefined) act();
  else after.push(act);
}
