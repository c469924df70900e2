/**
 * Checks whether the connection to PostgreSQL keeps its session. A pooler in transaction mode does not keep
 * sessions.
 */
import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { systemClock } from "../../domain/clock.ts";
import type { Database } from "./sql.ts";

/** How long the check waits for its own notification, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Returns whether a database session stays on one server connection. Listens on one connection and notifies
 * through another, as control planes do. The session stays on its connection if the notification arrives.
 * With a pooler in transaction mode, such as PgBouncer, the notification might not arrive: it goes to any
 * client that uses the server connection at that moment.
 */
export async function keepsSessions(database: Database): Promise<boolean> {
  const channel = `rearguard_check_${randomBytes(8).toString("hex")}`;
  const arrived = Promise.withResolvers<boolean>();
  const settings = {
    ...database.options,
    max: 1,
    fetch_types: false,
    onnotify: (name: string) => name === channel && arrived.resolve(true),
  };
  const listener = postgres(settings as unknown as postgres.Options<Record<string, never>>);
  const late = new AbortController();
  try {
    await listener.unsafe(`listen ${channel}`);
    await database.unsafe(`notify ${channel}`);
    const silence = systemClock.sleep(PATIENCE, late.signal).then(() => false, () => false);
    return await Promise.race([arrived.promise, silence]);
  } finally {
    late.abort();
    await listener.unsafe(`unlisten ${channel}`).catch(() => {}); // another client may have the session now
    await listener.end({ timeout: 1 });
  }
}
