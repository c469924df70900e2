/** Manages the servers that might have the database: finds the writable server, and tracks open sockets. */
import { Buffer } from "node:buffer";
import { connect, Socket } from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers";
import postgres from "postgres";
import { systemClock } from "../../domain/clock.ts";
import type { DatabaseTls, ServerAddress } from "../../domain/database/database_url.ts";
import { readBackend } from "./database_backend.ts";
import { encrypted } from "./database_tls.ts";
import { withRefusalsAsErrors } from "./refused_login.ts";

/** Time within which a server must report whether it is writable, in milliseconds. */
const PATIENCE = 5_000;
/** How long to wait for the other servers after the first writable server was found, in milliseconds. */
const GRACE = 500;

type Options = postgres.ParsedOptions<Record<string, never>>;

/** Reports that none of several servers accepts writes now. */
export class NoWritableServerError extends Error {
  override readonly name = "NoWritableServerError";
  readonly code = "CONNECTION_READ_ONLY";
  readonly errno = this.code;
}

interface Opened {
  /** When the socket was opened, by the monotonic clock in milliseconds. */
  readonly at: number;
  /** Id of the server process, and when this id arrived. Null until the id arrives. */
  backend: { readonly pid: number; readonly at: number } | null;
}

/** Ids of all server processes of the pool's user. `at` is when they were listed, by the monotonic clock. */
export interface Backends {
  readonly pids: ReadonlySet<number>;
  readonly at: number;
}

interface Found {
  server: ServerAddress;
  /** Timeline of the server's write-ahead log. Each promotion of a standby begins a higher timeline. */
  timeline: number;
}

export class DatabaseServers {
  readonly #servers: readonly ServerAddress[];
  readonly #tls: DatabaseTls | null;
  readonly #options: () => Options;
  readonly #open = new Map<Socket, Opened>();
  #finding: Promise<ServerAddress> | null = null;

  /**
   * @param options Function that returns the pool's options. The user and password in these options apply to
   * every server.
   */
  constructor(servers: readonly ServerAddress[], tls: DatabaseTls | null, options: () => Options) {
    this.#servers = servers;
    this.#tls = tls;
    this.#options = options;
  }

  /**
   * Opens the socket of a connection, for postgres.js. Never throws: after an exception, postgres.js 3.4.9
   * would never use that connection of its pool again.
   */
  async openSocket(): Promise<Socket> {
    try {
      const server = this.#servers.length === 1 ? this.#servers[0]! : await this.#findWritable();
      const socket = await connectTo(server, this.#tls);
      const opened: Opened = { at: systemClock.monotonic(), backend: null };
      this.#open.set(socket, opened);
      const guarded = withRefusalsAsErrors(withoutCloseErrors(socket, () => this.#open.delete(socket)));
      readBackend(guarded, (pid) => opened.backend = { pid, at: systemClock.monotonic() });
      return guarded;
    } catch (error) {
      return brokenSocket(error as Error);
    }
  }

  /**
   * Closes the connections that were opened before `openedBefore`. If `backends` is given, also closes each
   * connection whose server process is missing from `backends`. Keeps a connection if the id of its server
   * process arrived after `backends` was listed. Works even if the server is silent. Queries that run on a
   * closed connection are rejected.
   */
  drop(openedBefore: number, backends: Backends | null = null): void {
    const isForeign = ({ backend }: Opened) =>
      backends !== null && backend !== null && backend.at < backends.at && !backends.pids.has(backend.pid);
    for (const [socket, opened] of this.#open) {
      if (opened.at < openedBefore || isForeign(opened)) socket.destroy();
    }
  }

  /** Returns the writable server. Connections that are opened at the same time share one search. */
  #findWritable(): Promise<ServerAddress> {
    return this.#finding ??= this.#queryAll().finally(() => this.#finding = null);
  }

  /**
   * Returns the writable server. Queries all servers at once, because a machine that is gone does not answer
   * and would delay a failover. If several servers are writable, all but one are old primaries that were
   * started again. They missed the promotion, so the server with the highest timeline is the right one.
   */
  async #queryAll(): Promise<ServerAddress> {
    const found: Found[] = [];
    const reasons: string[] = [];
    const queries = this.#servers.map(async (server) => {
      try {
        found.push({ server, timeline: await readTimeline(this.#options(), server, this.#tls) });
      } catch (error) {
        const reason = (error as Error).message || (error as { code?: string }).code;
        reasons.push(`${server.host}:${server.port}: ${reason}`);
        throw error;
      }
    });
    const all = Promise.allSettled(queries);
    await Promise.any(queries).catch(() => {});
    const late = new AbortController();
    await Promise.race([all, systemClock.sleep(GRACE, late.signal).catch(() => {})]);
    late.abort();
    const [best] = found.sort((a, b) => b.timeline - a.timeline);
    if (best !== undefined) return best.server;
    throw new NoWritableServerError(`none of the servers takes writes (${reasons.join("; ")})`);
  }
}

/** Returns a server's timeline. Rejects with the reason if the server is not usable. */
async function readTimeline(
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
        socket = withRefusalsAsErrors(withoutCloseErrors(await connectTo(server, tls)));
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

/**
 * Returns a socket to a server. Without TLS, does not wait until the socket is connected: postgres.js has its
 * own timeout for connecting.
 */
async function connectTo({ host, port, address }: ServerAddress, tls: DatabaseTls | null): Promise<Socket> {
  const isLocal = host.startsWith("/");
  const socket = isLocal
    ? connect({ path: `${host}/.s.PGSQL.${port}` })
    : connect({ host: address ?? host, port });
  // postgres.js copies host and port of the socket into its error messages.
  const at = { host, port };
  if (tls === null || isLocal) return Object.assign(socket, at);
  return Object.assign(await encrypted(socket, host, tls), at);
}

/**
 * Returns a socket that is not connected. The socket fails with `reason` at the first write. If it failed
 * before the first write, postgres.js 3.4.9 would keep the bytes to write forever.
 */
function brokenSocket(reason: Error): Socket {
  const socket = new Socket();
  socket.write = () => {
    process.nextTick(() => socket.destroy(reason));
    return true;
  };
  return withoutCloseErrors(socket);
}

/** After this many turns of the event loop, postgres.js has written its first message on a new connection. */
const FIRST_WRITE_TURNS = 4;
/** Message `R` with which a server requests a password that is sent in plain text. */
const PASSWORD_REQUEST = [0x52, 0, 0, 0, 8, 0, 0, 0, 3];
/**
 * How many password requests to pass to postgres.js. For each request, postgres.js adds a response of at
 * least six bytes to its buffer. It writes the buffer to the socket when the buffer has 1024 bytes. The
 * responses to this many requests have more than 1024 bytes.
 */
const PASSWORD_REQUESTS = 256;

/**
 * Returns the socket, changed so that it works around two defects of postgres.js 3.4.9.
 *
 * First defect: if `close` reports an error, queries that are sent between `error` and `close` never settle.
 * If `close` reports no error, postgres.js rejects these queries. So `close` of this socket never reports an
 * error.
 *
 * Second defect: postgres.js buffers its output until the end of the event loop's turn. If the socket closes
 * earlier, the buffer is never written. The pool's next connection in the same position uses the same buffer,
 * so its bytes are not written either.
 *
 * The second defect affects a socket if nothing was written to it in the first {@link FIRST_WRITE_TURNS}
 * turns of the event loop. Then this function passes password requests to postgres.js. The responses of
 * postgres.js fill the buffer, so postgres.js writes it. This function discards the written bytes, and the
 * pool opens another connection.
 */
function withoutCloseErrors(socket: Socket, ended = () => {}): Socket {
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
    emit(
      "data",
      Buffer.alloc(PASSWORD_REQUESTS * PASSWORD_REQUEST.length, Uint8Array.from(PASSWORD_REQUEST)),
    );
    socket.destroy();
    after(FIRST_WRITE_TURNS, () => emit("close", false));
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
  after(FIRST_WRITE_TURNS, flush);
  return socket;
}

/** Returns the error with its code as `errno`. Some of Deno's socket errors lack `errno`. */
function named(error: NodeJS.ErrnoException): Error {
  return error.errno === undefined ? Object.assign(error, { errno: error.code }) : error;
}

function after(turns: number, act: () => void): void {
  setImmediate(() => turns === 0 ? act() : after(turns - 1, act));
}
