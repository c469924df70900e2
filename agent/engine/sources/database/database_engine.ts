/** Detects the type of a database server for tasks that do not name the type. */
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { RunFailedError, type RunPorts } from "../../ports.ts";
import type { ServerDetection } from "../source_type.ts";

/** A database server that was found: its type and address. */
interface Found {
  engine: string;
  address: string;
}

type Detections = Readonly<Record<string, ServerDetection>>;

/**
 * Time to wait for the server's greeting, in milliseconds. If the server sends no greeting, the agent sends
 * the `hello` messages of all database types, one after another.
 */
const GREETING_MS = 2000;
const ANSWER_MS = 10_000;
const CONNECT_MS = 30_000;

/**
 * Returns the type of the database server. Rejects if no database server is found. Also rejects if servers of
 * different types are found.
 */
export async function detectEngine(
  { host, port }: Pick<DatabaseSource, "host" | "port">,
  ports: Pick<RunPorts, "clock" | "signal">,
  detections: Detections,
): Promise<string> {
  const found = host === null || host.startsWith("/")
    ? await findSockets(host, port, detections)
    : await probeHost(host, port, detections, ports);
  const engines = [...new Set(found.map(({ engine }) => engine))];
  if (engines.length === 1) return engines[0]!;
  const addresses = found.map(({ engine, address }) => `${engine} at ${address}`).join(" and ");
  throw new RunFailedError(
    engines.length > 1
      ? `Cannot choose a database server to back up: found ${addresses}. Set the task's database_type.`
      : `Cannot find a database server ${host === null ? "on this server's sockets" : `at ${host}`}. ` +
        "Start it, or set the task's database_type, database_host and database_port.",
  );
}

async function findSockets(
  host: string | null,
  port: number | null,
  detections: Detections,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const [engine, detection] of Object.entries(detections)) {
    for (const address of await detection.sockets(host, port)) {
      if (await isListening(address)) found.push({ engine, address });
    }
  }
  return found;
}

/**
 * Whether a server listens on a socket. The socket's file alone does not show this: it remains if a server
 * was killed.
 */
export async function isListening(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

async function probeHost(
  host: string,
  port: number | null,
  detections: Detections,
  ports: Pick<RunPorts, "clock" | "signal">,
): Promise<Found[]> {
  const defaults = Object.values(detections).map(({ defaultPort }) => defaultPort);
  const found: Found[] = [];
  for (const each of port === null ? defaults : [port]) {
    const engine = await probe(host, each, detections, ports);
    if (engine !== null) found.push({ engine, address: `${host}, port ${each}` });
  }
  return found;
}

/** Connects to a port and returns the type of the database server there; null if there is none. */
async function probe(
  hostname: string,
  port: number,
  detections: Detections,
  ports: Pick<RunPorts, "clock" | "signal">,
): Promise<string | null> {
  const connection = await connect(hostname, port, ports);
  if (connection === null) return null;
  const over = new AbortController();
  try {
    const buffer = new Uint8Array(64);
    const reading = connection.read(buffer).catch(() => null);
    const silence = ports.clock.sleep(GREETING_MS, over.signal).then(() => "silent" as const, () => null);
    if (await Promise.race([reading, silence]) === "silent") {
      for (const { hello } of Object.values(detections)) {
        if (hello !== undefined) await connection.write(hello).catch(() => {});
      }
      const timeout = ports.clock.sleep(ANSWER_MS, over.signal).catch(() => {});
      await Promise.race([reading, timeout]);
    }
    return Object.entries(detections).find(([, { isAnswer }]) => isAnswer(buffer))?.[0] ?? null;
  } finally {
    over.abort();
    connection.close();
  }
}

async function connect(
  hostname: string,
  port: number,
  { clock, signal }: Pick<RunPorts, "clock" | "signal">,
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
