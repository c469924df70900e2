/**
 * The seam between services and the loops that act on them: one Postgres channel, a JSON payload. A lost
 * notification is made up by each listener's slow poll, so sending one is never a promise.
 */
import postgres from "postgres";
import { systemClock } from "../domain/clock.ts";
import type { RunState } from "../domain/run.ts";
import type { Database, Sql } from "./database.ts";

export const CHANNEL = "rearguard";

export type Notification =
  /** A run waits for a hand-over to this server's agent. */
  | { topic: "run_queued"; run_id: number; remote_server_id: number }
  /** A run in the agent's hands is to be stopped. */
  | { topic: "run_cancelling"; run_id: number; remote_server_id: number }
  /** New output rows. */
  | { topic: "run_output"; run_id: number }
  /** A run's state changed. `state` is left out for a new run. */
  | { topic: "run_changed"; run_id: number; state?: RunState }
  /** A task's next due time may have moved. */
  | { topic: "schedule_changed" }
  /** A question waits for this server's agent. */
  | { topic: "agent_request"; id: number; remote_server_id: number }
  | { topic: "agent_response"; id: number }
  /** The agent's key is no longer good: close its socket. */
  | { topic: "agent_revoked"; remote_server_id: number }
  /** A token of this user, or what it allows, is not what it was. */
  | { topic: "tokens_changed"; user_id: number }
  /** The secret keys have changed: read them again. */
  | { topic: "keys_changed" }
  /** Objects wait to be removed. */
  | { topic: "removal_due" }
  /** Something waits to be told to a notification stream. */
  | { topic: "notification_due" }
  /** A secret, sealed with the keyring, for every replica to hold in memory until then (ISO 8601 UTC). */
  | { topic: "secret_passed"; of: string; sealed: string; until: string }
  /** A replica needs it and has missed it: whoever holds it passes it again. */
  | { topic: "secret_wanted"; of: string };

/** Sends on commit of the surrounding transaction. */
export async function notify(sql: Sql, notification: Notification): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`;
}

/** One LISTEN connection a process, fanned out to whoever is interested. */
export interface Bus {
  /** `handler` also gets `{ topic: "reconnected" }` when notifications may have been missed. */
  subscribe(handler: (notification: Notification | { topic: "reconnected" }) => void): () => void;
  close(): Promise<void>;
}

/** Resolves once it listens. From then on it comes back by itself, however long Postgres is away. */
export async function openBus(database: Database): Promise<Bus> {
  const handlers = new Set<(notification: Notification | { topic: "reconnected" }) => void>();
  const deliver = (notification: Notification | { topic: "reconnected" }) => {
    for (const handler of [...handlers]) handler(notification);
  };
  const stopped = new AbortController();
  const first = await listenOnce(database, deliver);
  const done = keepListening(database, deliver, first, stopped.signal);
  return {
    subscribe(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    async close() {
      stopped.abort();
      await done;
    },
  };
}

type Deliver = (notification: Notification | { topic: "reconnected" }) => void;

interface Listening {
  /** Resolves when the connection is gone. */
  readonly lost: Promise<void>;
  end(): Promise<void>;
}

/** Between two tries to connect again. Milliseconds. */
const RETRY = 500;

/** postgres.js's own `listen` gives up for good when its one try to connect again fails. */
async function keepListening(
  database: Database,
  deliver: Deliver,
  first: Listening,
  signal: AbortSignal,
): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let current: Listening | null = first;
  while (true) {
    if (current !== null) await Promise.race([current.lost, aborted]);
    await current?.end();
    if (signal.aborted) return;
    // A failure here is a database that is still away: the services tell of it, this waits.
    current = await listenOnce(database, deliver).catch(() => null);
    if (current === null) await systemClock.sleep(RETRY, signal).catch(() => {});
    else deliver({ topic: "reconnected" });
  }
}

/** A connection of its own that only listens; the pool's settings are reused as they were read. */
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
  try {
    await connection.unsafe(`listen ${CHANNEL}`);
  } catch (cause) {
    await end();
    throw cause;
  }
  return { lost, end };
}
