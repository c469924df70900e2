/** Connections of the pool that the server has closed before anybody noticed: found, replaced, and tried again where that is safe. */
import { systemClock } from "../domain/clock.ts";
import type { Database } from "./database.ts";

/**
 * What a query says whose connection is gone while the server may be there: codes of the way to it, and of a server process that was
 * told to end or was idle for too long.
 */
const LOST = new Set(["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "57P01", "57P02", "57P05"]);
/** A round finds what is lost; another one, that what came in its place holds. */
const ROUNDS = 3;
/** Busy connections answer late, and show by being busy that they are good. Milliseconds. */
const PATIENCE = 1_000;

export function isLostConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOST.has(String(error.code));
}

const settling = new WeakMap<Database, Promise<boolean>>();

/**
 * Asks something of every connection of the pool, so that lost ones are noticed and made anew. Resolves with whether the last of them
 * answered. Those who call at the same time share one look.
 */
export function settleConnections(database: Database): Promise<boolean> {
  const known = settling.get(database);
  if (known !== undefined) return known;
  const settled = settle(database).finally(() => settling.delete(database));
  settling.set(database, settled);
  return settled;
}

async function settle(database: Database): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round++) {
    const patience = new AbortController();
    const late = systemClock.sleep(PATIENCE, patience.signal).then(() => null, () => null);
    // Sent in one turn, each takes a connection of its own.
    const asked = Array.from({ length: database.options.max }, async () => {
      try {
        await Promise.race([database`select 1`, late]);
        return null;
      } catch (error) {
        return error;
      }
    });
    const errors = (await Promise.all(asked)).filter((error) => error !== null);
    patience.abort();
    if (errors.length === 0) return true;
    // The server is away: more tries would say the same.
    if (!errors.every(isLostConnection)) return false;
  }
  return false;
}

/** Does `work`, which may be done twice, again where it came upon a connection that was lost. */
export async function retryLost<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLostConnection(error)) throw error;
    await settleConnections(database);
    return await work();
  }
}
