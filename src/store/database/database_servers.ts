/**
 * The servers that a database may be on: which of them takes writes, and the sockets that are open to them.
 */
import { Buffer } from "node:buffer";
import { connect, Socket } from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers";
import postgres from "postgres";
import { systemClock } from "../../domain/clock.ts";
import type { DatabaseTls, ServerAddress } from "../../domain/database/database_url.ts";
import { readBackend } from "./database_backend.ts";
import { encrypted } from "./database_tls.ts";
import { raisingRefusals } from "./refused_login.ts";

/** How long a server may take to say whether it takes writes. Milliseconds. */
const PATIENCE = 5_000;
/** How long the others may still answer once one that takes writes is found. Milliseconds. */
const LATECOMERS = 500;

type Options = postgres.ParsedOptions<Record<string, never>>;

/** None of several servers can be used now. */
export class NoWritableServerError extends Error {
  override readonly name = "NoWritableServerError";
  readonly code = "CONNECTION_READ_ONLY";
  readonly errno = this.code;
}

interface Opened {
  /** Time of the monotonic clock. */
  readonly at: number;
  /** The server process, and when its id arrived; null before. */
  backend: { readonly pid: number; readonly at: number } | null;
}

/** All processes of the pool's user on a server, at a moment of the monotonic clock. */
export interface Backends {
  readonly pids: ReadonlySet<number>;
  readonly at: number;
}

interface Found {
  server: ServerAddress;
  /** Of its write-ahead log: each promotion begins a higher one. */
  timeline: number;
}

export class DatabaseServers {
  readonly #servers: readonly ServerAddress[];
  readonly #tls: DatabaseTls | null;
  readonly #options: () => Options;
  readonly #open = new Map<Socket, Opened>();
  #finding: Promise<ServerAddress> | null = null;

  /** @param options Of the pool: its user and password are those of every server. */
  constructor(servers: readonly ServerAddress[], tls: DatabaseTls | null, options: () => Options) {
    this.#servers = servers;
    this.#tls = tls;
    this.#options = options;
  }

  /**
   * What postgres.js calls for each connection. It never throws: postgres.js 3.4.9 would lose that place of
   * its pool.
   */
  async openSocket(): Promise<Socket> {
    try {
      const server = this.#servers.length === 1 ? this.#servers[0]! : await this.#findWritable();
      const socket = await connectTo(server, this.#tls);
      const opened: Opened = { at: systemClock.monotonic(), backend: null };
      this.#open.set(socket, opened);
      const guarded = raisingRefusals(closingWithoutError(socket, () => this.#open.delete(socket)));
      readBackend(guarded, (pid) => opened.backend = { pid, at: systemClock.monotonic() });
      return guarded;
    } catch (error) {
      return brokenSocket(error as Error);
    }
  }

  /**
   * Ends connections that were opened before that moment, even if the other side is silent, and those to
   * other processes than these. Running queries are rejected.
   */
  drop(openedBefore: number, backends: Backends | null = null): void {
    const isForeign = ({ backend }: Opened) =>
      backends !== null && backend !== null && backend.at < backends.at && !backends.pids.has(backend.pid);
    for (const [socket, opened] of this.#open) {
      if (opened.at < openedBefore || isForeign(opened)) socket.destroy();
    }
  }

  /** Connections that are opened at the same time share one look around. */
  #findWritable(): Promise<ServerAddress> {
    return this.#finding ??= this.#lookAround().finally(() => this.#finding = null);
  }

  /**
   * Asks all at once: a machine that is gone answers nothing, and a failover is no time to wait for it. Where
   * several take writes, one of them is an old primary that was started again; the promotion that it missed
   * tells which.
   */
  async #lookAround(): Promise<ServerAddress> {
    const found: Found[] = [];
    const reasons: string[] = [];
    const asked = this.#servers.map(async (server) => {
      try {
        found.push({ server, timeline: await askTimeline(this.#options(), server, this.#tls) });
      } catch (error) {
        const reason = (error as Error).message || (error as { code?: string }).code;
        reasons.push(`${server.host}:${server.port}: ${reason}`);
        throw error;
      }
    });
    const all = Promise.allSettled(asked);
    await Promise.any(asked).catch(() => {});
    const late = new AbortController();
    await Promise.race([all, systemClock.sleep(LATECOMERS, late.signal).catch(() => {})]);
    late.abort();
    const [best] = found.sort((a, b) => b.timeline - a.timeline);
    if (best !== undefined) return best.server;
    throw new NoWritableServerError(`none of the servers takes writes (${reasons.join("; ")})`);
  }
}

/** Rejects with the reason where the server can't be used. */
async function askTimeline(
  options: Options,
  server: ServerAddress,
  tls: DatabaseTls | null,
): Promise<number> {
  let socket: Socket | null = null;
  const settings = {
    ...options,
    max: 1,
    fetch_types: false,
    target_session_attrs: null,
    socket: async () => {
      try {
        socket = raisingRefusals(closingWithoutError(await connectTo(server, tls)));
        return socket;
      } catch (error) {
        return brokenSocket(error as Error);
      }
    },
    shared: { retries: 0, typeArrayMap: {} },
    onclose: () => {},
  };
  const client = postgres(settings as unknown as postgres.Options<Record<string, never>>);
  const patience = new AbortController();
  try {
    const answer = client<{ read_only: boolean; timeline: string | null }[]>`
      select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only,
        case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end as timeline`;
    const silence = systemClock.sleep(PATIENCE, patience.signal).then(() => null, () => null);
    const rows = await Promise.race([answer, silence]);
    if (rows === null) throw new Error(`no answer in ${PATIENCE / 1000} s`);
    const [row] = rows;
    if (row!.read_only) throw new Error("it is read-only");
    return parseInt(row!.timeline!, 16);
  } finally {
    patience.abort();
    await client.end({ timeout: 1 });
    (socket as Socket | null)?.destroy();
  }
}

/** In plain text, it may still be on its way: postgres.js counts that time. */
async function connectTo({ host, port, address }: ServerAddress, tls: DatabaseTls | null): Promise<Socket> {
  const isLocal = host.startsWith("/");
  const socket = isLocal
    ? connect({ path: `${host}/.s.PGSQL.${port}` })
    : connect({ host: address ?? host, port });
  // For its errors.
  const at = { host, port };
  if (tls === null || isLocal) return Object.assign(socket, at);
  return Object.assign(await encrypted(socket, host, tls), at);
}

/**
 * Connects to nothing and says why, once it is written to: sooner, postgres.js 3.4.9 would keep the bytes for
 * ever.
 */
function brokenSocket(reason: Error): Socket {
  const socket = new Socket();
  socket.write = () => {
    process.nextTick(() => socket.destroy(reason));
    return true;
  };
  return closingWithoutError(socket);
}

/** Turns of the event loop after which what postgres.js has to say first on a connection was written. */
const FIRST_WORDS = 4;
/** Message `R`: the server asks for the password in plain text. */
const ASKS_PASSWORD = [0x52, 0, 0, 0, 8, 0, 0, 0, 3];
/** The answer has six bytes and more; postgres.js writes at once where it has 1024. */
const QUESTIONS = 256;

/**
 * Two faults of postgres.js 3.4.9 are kept from it. It forgets queries that come between a socket's `error`
 * and its `close(hadError: true)`: they never settle. After a `close` without an error it rejects them, so
 * that is what it is told.
 *
 * And where bytes wait for the end of the event loop's turn when the `close` comes, they stay, and so does
 * all that the next connection in that place of the pool would write, for ever. Such a connection says
 * nothing at first. It is asked for a password until it has so much to say that postgres.js writes it after
 * all; nobody gets to read that, and the place makes another connection.
 */
function closingWithoutError(socket: Socket, ended = () => {}): Socket {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  let isOpen = true;
  let hasWritten = false;
  const end = () => {
    isOpen = false;
    ended();
  };
  const flush = () => {
    if (hasWritten || !isOpen) return;
    end();
    emit("data", Buffer.alloc(QUESTIONS * ASKS_PASSWORD.length, Uint8Array.from(ASKS_PASSWORD)));
    socket.destroy();
    after(FIRST_WORDS, () => emit("close", false));
  };
  socket.write = (...values: unknown[]) => {
    hasWritten = true;
    return isOpen && write(...values);
  };
  socket.emit = (event: string, ...values: unknown[]) => {
    if (event === "error") return emit(event, named(values[0] as NodeJS.ErrnoException));
    if (event !== "close") return emit(event, ...values);
    if (!isOpen) return false;
    end();
    return emit("close", false);
  };
  after(FIRST_WORDS, flush);
  return socket;
}

/** Adds the code as `errno`, as other socket errors have it: some of Deno's have only a code. */
function named(error: NodeJS.ErrnoException): Error {
  return error.errno === undefined ? Object.assign(error, { errno: error.code }) : error;
}

function after(turns: number, act: () => void): void {
  setImmediate(() => turns === 0 ? act() : after(turns - 1, act));
}
