/** Detects the type of database server, for tasks that do not specify it. */
import type { DatabaseSource } from "../../../../src/protocol/job.ts";
import { RunFailedError, type RunPorts } from "../../ports.ts";
import { mysqlSocket } from "../mysql/connection.ts";
import type { RunContext } from "../../run_context.ts";

export type Engine = "postgresql" | "mysql";

interface Found {
  engine: Engine;
  address: string;
}

/** Socket locations of the Linux distributions. */
export const SOCKET_DIRECTORIES = {
  postgresql: ["/var/run/postgresql", "/tmp"],
  mysql: ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"],
};
const DEFAULT_PORTS = [5432, 3306];
/**
 * Time to wait for the greeting that a MySQL server sends. A server that sends none is probed as PostgreSQL.
 */
const GREETING_MS = 2000;
const ANSWER_MS = 10_000;
const CONNECT_MS = 30_000;
/**
 * SSLRequest, answered by `S` or `N`: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);
/** First byte of a MySQL greeting: protocol 10, or an error such as too many connections. */
const GREETINGS = [10, 255];

/** Rejects if there is no database server, or more than one. */
export async function detectEngine(
  source: DatabaseSource,
  context: RunContext,
  sockets: typeof SOCKET_DIRECTORIES = SOCKET_DIRECTORIES,
): Promise<Engine> {
  const { host, port } = source;
  const found = host === null || host.startsWith("/")
    ? await findSockets(
      host === null ? sockets : { postgresql: [host], mysql: [await mysqlSocket(host)] },
      port,
    )
    : await probeHost(host, port === null ? DEFAULT_PORTS : [port], context);
  const engines = [...new Set(found.map(({ engine }) => engine))];
  if (engines.length === 1) return engines[0]!;
  const addresses = found.map(({ engine, address }) => `${engine} at ${address}`).join(" and ");
  throw new RunFailedError(
    engines.length > 1
      ? `Cannot tell which database server to back up: there is ${addresses}. Set the task's database_type.`
      : `Cannot find a database server ${host === null ? "on this server's sockets" : `at ${host}`}. ` +
        "Start it, or set the task's database_type, database_host and database_port.",
  );
}

async function findSockets(sockets: typeof SOCKET_DIRECTORIES, port: number | null): Promise<Found[]> {
  const found: Found[] = [];
  for (const directory of sockets.postgresql) {
    for (const path of postgresqlSockets(directory, port)) {
      if (await isListening(path)) found.push({ engine: "postgresql", address: path });
    }
  }
  for (const path of sockets.mysql) {
    if (await isListening(path)) found.push({ engine: "mysql", address: path });
  }
  return found;
}

function postgresqlSockets(directory: string, port: number | null): string[] {
  const pattern = port === null ? /^\.s\.PGSQL\.\d+$/ : new RegExp(`^\\.s\\.PGSQL\\.${port}$`);
  try {
    return [...Deno.readDirSync(directory)].filter(({ name }) => pattern.test(name))
      .map(({ name }) => `${directory}/${name}`);
  } catch {
    // The path is missing, not a directory, or unreadable for the agent: no socket could be used.
    return [];
  }
}

/** Whether a server listens on a socket. The socket's file remains after a server was killed. */
async function isListening(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

async function probeHost(host: string, ports: number[], context: RunContext): Promise<Found[]> {
  const found: Found[] = [];
  for (const port of ports) {
    const engine = await probe(host, port, context);
    if (engine !== null) found.push({ engine, address: `${host}, port ${port}` });
  }
  return found;
}

async function probe(hostname: string, port: number, { ports }: RunContext): Promise<Engine | null> {
  const connection = await connect(hostname, port, ports);
  if (connection === null) return null;
  const over = new AbortController();
  try {
    const buffer = new Uint8Array(64);
    const reading = connection.read(buffer).catch(() => null);
    const silence = ports.clock.sleep(GREETING_MS, over.signal).then(() => "silent" as const, () => null);
    if (await Promise.race([reading, silence]) === "silent") {
      await connection.write(SSL_REQUEST).catch(() => {});
      const timeout = ports.clock.sleep(ANSWER_MS, over.signal).catch(() => {});
      await Promise.race([reading, timeout]);
    }
    return engineOf(buffer);
  } finally {
    over.abort();
    connection.close();
  }
}

async function connect(
  hostname: string,
  port: number,
  { clock, signal }: RunPorts,
): Promise<Deno.Conn | null> {
  const late = new AbortController();
  const settled = new AbortController();
  clock.sleep(CONNECT_MS, settled.signal).then(() => late.abort(), () => {});
  try {
    return await Deno.connect({ hostname, port, signal: AbortSignal.any([signal, late.signal]) });
  } catch {
    signal.throwIfAborted();
    return null;
  } finally {
    settled.abort();
  }
}

/**
 * Returns the engine by its first bytes. A MySQL packet begins with its length in three bytes and its number
 * in one; PostgreSQL answers with one letter.
 */
function engineOf(bytes: Uint8Array): Engine | null {
  if (bytes[3] === 0 && GREETINGS.includes(bytes[4]!)) return "mysql";
  return bytes[0] === "S".charCodeAt(0) || bytes[0] === "N".charCodeAt(0) ? "postgresql" : null;
}
