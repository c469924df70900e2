/**
 * Notifies the loops of all control planes of changes, as JSON on one Postgres channel. A notification can
 * get lost, so each listener also polls at long intervals.
 */
import postgres from "postgres";
import { systemClock } from "../../domain/clock.ts";
import type { RecordKind } from "./record_kinds.ts";
import type { RunState } from "../../domain/run.ts";
import { logger } from "../../telemetry/logging.ts";
import { dropConnections } from "./database.ts";
import type { Database, Sql } from "./sql.ts";
import type { Backends } from "./database_servers.ts";
import { settleConnections } from "./lost_connections.ts";

const CHANNEL = "rearguard";

export type Notification =
  /**
   * A run is queued and can be dispatched to this server's agent. If the run is new, `traceparent` is the
   * trace context of the span that created it.
   */
  | { topic: "run_queued"; run_id: number; remote_server_id: number; traceparent?: string }
  /** The run is to be cancelled on the agent that works on it. */
  | { topic: "run_cancelling"; run_id: number; remote_server_id: number }
  /** The run has new rows of output. */
  | { topic: "run_output"; run_id: number }
  /** A task's next due time might have moved. */
  | { topic: "run_changed"; run_id: number; state?: RunState }
  /** A task's next due time might have moved. */
  | { topic: "schedule_changed" }
  /** A request waits for this server's agent. */
  | { topic: "agent_request"; id: number; remote_server_id: number }
  | { topic: "agent_response"; id: number }
  /**
   * The key of the server's agent was revoked. The replica that holds the agent's connection closes the
   * connection.
   */
  | { topic: "agent_revoked"; remote_server_id: number }
  /**
   * Asks the replica that holds this connection to ping the agent. After the agent's pong, that replica sends
   * `agent_alive`.
   */
  | { topic: "agent_probe"; connection_id: string; probe: string; patience_ms: number }
  | { topic: "agent_alive"; probe: string }
  /** The agent has connected again. The replica that holds the older connection `connection_id` closes it. */
  | { topic: "agent_replaced"; connection_id: string }
  /** A user's tokens or sessions have changed: what they permit, or whether they are valid. */
  | { topic: "tokens_changed"; user_id: number }
  /** The secret keys have changed: replicas read them again. */
  | { topic: "keys_changed" }
  /** Objects wait to be removed. */
  | { topic: "removal_due" }
  /** Messages wait for delivery to a notification stream. */
  | { topic: "notification_due" }
  /**
   * A transient secret, encrypted with the keyring. Every replica keeps it in memory until `until` (ISO 8601
   * UTC).
   */
  | { topic: "secret_passed"; of: string; sealed: string; until: string }
  /**
   * A replica needs a transient secret that it has not received. A replica that has the secret publishes it
   * again.
   */
  | { topic: "secret_wanted"; of: string }
  /**
   * Records of this kind have changed. If an id is present, the records belong to the workspace or the user
   * with this id. If both ids are absent, the records might belong to any workspace or user. Triggers in the
   * database send this notification.
   */
  | { topic: "records_changed"; kind: RecordKind; workspace_id?: number; user_id?: number };

/** Sends a notification when the surrounding transaction commits. */
export async function notify(sql: Sql, notification: Notification): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`;
}

/** Sends many notifications in one statement, when the surrounding transaction commits. */
export async function notifyAll(sql: Sql, notifications: readonly Notification[]): Promise<void> {
  if (notifications.length === 0) return;
  const payloads = notifications.map((notification) => JSON.stringify(notification));
  await sql`select pg_notify(${CHANNEL}, payload) from unnest(${payloads}::text[]) as payload`;
}

/** Delivers notifications to all subscribers of a process, over one LISTEN connection. */
export interface EventBus {
  /**
   * Calls `handler` for every notification, and with `{ topic: "reconnected" }` when notifications may have
   * been missed. Returns a function that ends the subscription.
   */
  subscribe(handler: (notification: Notification | { topic: "reconnected" }) => void): () => void;
  /**
   * Returns one sentence about what is wrong with the connections to the database. Returns null if the bus
   * listens, and every connection of the pool has worked since the bus began to listen.
   */
  problem(): Promise<string | null>;
  close(): Promise<void>;
}

export interface EventBusTimes {
  /** Interval between two checks of the server, in milliseconds. */
  checkMs: number;
  /** How long the server may be silent before its connections are closed, in milliseconds. */
  patienceMs: number;
}

const TIMES: EventBusTimes = { checkMs: 5_000, patienceMs: 10_000 };

/**
 * Opens the event bus, and resolves once it listens. From then on the bus connects again by itself, however
 * long Postgres is unreachable.
 *
 * The bus also checks the Postgres server on behalf of the connection pool. If the server is gone, is
 * read-only or was replaced, the bus closes the pool's connections. The pool then opens new ones.
 */
export async function openEventBus(database: Database, times: EventBusTimes = TIMES): Promise<EventBus> {
  const handlers = new Set<(notification: Notification | { topic: "reconnected" }) => void>();
  const deliver = (notification: Notification | { topic: "reconnected" }) => {
    for (const handler of [...handlers]) handler(notification);
  };
  const stopped = new AbortController();
  const state: EventBusState = { listening: await listenOnce(database, deliver), isSettled: true };
  const done = keepListening(database, deliver, state, times, stopped.signal);
  return {
    subscribe(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    async problem() {
      const { listening } = state;
      // When the server ends, the listening connection breaks before all other connections. The bus might not
      // have noticed this yet. A query on the listening connection detects it.
      const answer = await listening?.look().catch(() => null) ?? null;
      return answer !== null && state.listening === listening && state.isSettled
        ? null
        : "The connections to the database are being made anew.";
    },
    async close() {
      stopped.abort();
      await done;
    },
  };
}

interface EventBusState {
  /** The listening connection; null while the database is unreachable. */
  listening: Listening | null;
  /** Whether the check of all connections of the pool has ended since the bus began to listen. */
  isSettled: boolean;
}

type Deliver = (notification: Notification | { topic: "reconnected" }) => void;

interface Listening {
  /** Resolves when the connection is lost. */
  readonly lost: Promise<void>;
  /** Start time of the server. A different time means another server, or a restarted one. */
  readonly server: string;
  /** The server processes of the bus's database user that existed when the bus began to listen. */
  readonly backends: Backends;
  look(): Promise<ServerState>;
  end(): Promise<void>;
}

interface ServerState {
  server: string;
  readOnly: boolean;
}

/** Interval between two attempts to connect again, in milliseconds. */
const RETRY = 500;

/**
 * Listens until the signal aborts, and connects again whenever the connection is lost. postgres.js's own
 * `listen` gives up forever when its single attempt to reconnect fails.
 */
async function keepListening(
  database: Database,
  deliver: Deliver,
  state: EventBusState,
  times: EventBusTimes,
  signal: AbortSignal,
): Promise<void> {
  let { server } = state.listening!;
  while (true) {
    const listening = state.listening!;
    await untilUseless(database, listening, times, signal);
    Object.assign(state, { listening: null, isSettled: false });
    const lostAt = systemClock.monotonic();
    await listening.end();
    const next = await listenAgain(database, deliver, signal);
    if (next === null) return;
    // Close every connection that was opened before the listening connection was lost: each of them is
    // broken, or leads to a server that is read-only. Of the newer connections, close only those that lead to
    // another server than `next`. Keep the rest, because they might have running queries.
    if (next.server !== server) dropConnections(database, lostAt, next.backends);
    server = next.server;
    state.listening = next;
    void settleConnections(database).then(() => {
      if (state.listening === next) state.isSettled = true;
    });
    deliver({ topic: "reconnected" });
  }
}

/**
 * Resolves once the connection is lost, the server is no longer usable, or the signal aborts. Drops the
 * pool's connections if the server is no longer usable.
 */
async function untilUseless(
  database: Database,
  listening: Listening,
  times: EventBusTimes,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const useless = watch(listening, times, AbortSignal.any([over.signal, signal])).then((reason) => {
    if (reason !== null) giveUp(database, reason);
  });
  await Promise.race([listening.lost, useless]);
  over.abort();
}

/** Connects again, and retries until the connection listens. Returns null if the signal aborts. */
async function listenAgain(
  database: Database,
  deliver: Deliver,
  signal: AbortSignal,
): Promise<Listening | null> {
  while (!signal.aborted) {
    // If connecting fails, the database is still unreachable. This loop retries, and the services report the
    // problem.
    const listening = await listenOnce(database, deliver).catch(() => null);
    if (listening !== null && !signal.aborted) return listening;
    await listening?.end();
    await systemClock.sleep(RETRY, signal).catch(() => {});
  }
  return null;
}

function giveUp(database: Database, reason: string): void {
  log.warn("The database's connections are made anew: {reason}", { reason });
  dropConnections(database);
}

/**
 * Checks the server at intervals. Returns why the server is no longer usable. Returns null once the signal
 * aborts, or if a check fails. If a check fails, the connection is lost, and reports that itself.
 */
async function watch(
  listening: Listening,
  times: EventBusTimes,
  signal: AbortSignal,
): Promise<string | null> {
  while (true) {
    await systemClock.sleep(times.checkMs, signal).catch(() => {});
    if (signal.aborted) return null;
    const patience = new AbortController();
    const silence = silent(times.patienceMs, patience.signal);
    const found = await Promise.race([listening.look().catch(() => null), silence]);
    patience.abort();
    if (found === "silent") return "the server does not answer";
    if (found === null || signal.aborted) return null;
    if (found.readOnly) return "the server has become read-only";
  }
}

/**
 * Resolves with `silent` after `ms`. Resolves with null if the signal aborts. Waits in two steps, because
 * this process might be delayed during the wait. The server's response might arrive during this delay. It is
 * then read before the second step ends.
 */
async function silent(ms: number, signal: AbortSignal): Promise<"silent" | null> {
  try {
    await systemClock.sleep(ms / 2, signal);
    await systemClock.sleep(ms / 2, signal);
    return "silent";
  } catch {
    return null;
  }
}

/** Opens a connection that only listens. Uses the pool's settings. */
async function listenOnce(database: Database, deliver: Deliver): Promise<Listening> {
  let lose = () => {};
  const lost = new Promise<void>((resolve) => lose = resolve);
  const settings = {
    ...database.options,
    max: 1,
    idle_timeout: null,
    max_lifetime: null,
    fetch_types: false,
    onnotify: (_channel: string, payload: string) => deliver(JSON.parse(payload) as Notification),
    onclose: () => lose(),
  };
  const connection = postgres(settings as unknown as postgres.Options<Record<string, never>>);
  const end = () => connection.end({ timeout: 1 });
  const look = async () => {
    const [row] = await connection<{ server: string; read_only: boolean }[]>`
      select pg_postmaster_start_time()::text as server,
        pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only`;
    return { server: row!.server, readOnly: row!.read_only };
  };
  try {
    await connection.unsafe(`listen ${CHANNEL}`);
    // This connection is idle by design, so it must not have a timeout. Servers before version 14 do not have
    // the setting.
    await connection`
      select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'`;
    const { server } = await look();
    const at = systemClock.monotonic();
    const rows = await connection<{ pid: number }[]>`
      select pid from pg_stat_activity where usename = current_user`;
    const backends = { pids: new Set(rows.map(({ pid }) => pid)), at };
    return { lost, server, backends, look, end };
  } catch (cause) {
    await end();
    throw cause;
  }
}

const log = logger("database");
