/**
 * The seam between services and the loops that act on them: one Postgres channel, a JSON payload. A lost
 * notification is made up by each listener's slow poll, so sending one is never a promise.
 */
import type { Database, Sql } from "./database.ts";

export const CHANNEL = "rearguard";

export type Notification =
  /** A run waits for a hand-over to this server's agent. */
  | { topic: "run_queued"; run_id: number; remote_server_id: number }
  /** A run in the agent's hands is to be stopped. */
  | { topic: "run_cancelling"; run_id: number; remote_server_id: number }
  /** New output rows. */
  | { topic: "run_output"; run_id: number }
  /** A run's state changed. */
  | { topic: "run_changed"; run_id: number }
  /** A task's next due time may have moved. */
  | { topic: "schedule_changed" }
  /** A question waits for this server's agent. */
  | { topic: "agent_request"; id: number; remote_server_id: number }
  | { topic: "agent_response"; id: number }
  /** The agent's key is no longer good: close its socket. */
  | { topic: "agent_revoked"; remote_server_id: number }
  /** Objects wait to be removed. */
  | { topic: "removal_due" };

/** Sends on commit of the surrounding transaction. */
export async function notify(sql: Sql, notification: Notification): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`;
}

/** Calls `handler` for each notification until the returned function is called. `onConnect`: also after a reconnect, when some may
 * have been missed. */
export async function listen(
  database: Database,
  handler: (notification: Notification) => void,
  onConnect: () => void = () => {},
): Promise<() => Promise<void>> {
  const subscription = await database.listen(
    CHANNEL,
    (payload) => handler(JSON.parse(payload) as Notification),
    onConnect,
  );
  return () => subscription.unlisten();
}

/** One LISTEN connection a process, fanned out to whoever is interested. */
export interface Bus {
  /** `handler` also gets `{ topic: "reconnected" }` when notifications may have been missed. */
  subscribe(handler: (notification: Notification | { topic: "reconnected" }) => void): () => void;
  close(): Promise<void>;
}

export async function openBus(database: Database): Promise<Bus> {
  const handlers = new Set<(notification: Notification | { topic: "reconnected" }) => void>();
  const deliver = (notification: Notification | { topic: "reconnected" }) => {
    for (const handler of [...handlers]) handler(notification);
  };
  const close = await listen(database, deliver, () => deliver({ topic: "reconnected" }));
  return {
    subscribe(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    close,
  };
}
