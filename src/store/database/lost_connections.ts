/**
 * Finds pool connections that the server has closed and whose loss the client has not noticed, and replaces
 * them.
 */
import { systemClock } from "../../domain/clock.ts";
import type { Database } from "./sql.ts";

/**
 * Error codes of a query whose connection was lost. They stand for a network error, or for a server process
 * that was terminated or was idle for too long. The database server itself might still be up.
 */
const LOST = new Set(["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "57P01", "57P02", "57P05"]);
/**
 * Maximum number of rounds. The first round finds lost connections; another round confirms that their
 * replacements work.
 */
const ROUNDS = 3;
/**
 * How long a round waits for the answers of the connections, in milliseconds. A connection that has not
 * answered by then is taken to be busy, so it counts as working.
 */
const PATIENCE = 1_000;

export function isLostConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOST.has(String(error.code));
}

const settling = new WeakMap<Database, Promise<boolean>>();

/**
 * Queries every connection of the pool, so that lost connections are noticed and replaced. Repeats this in
 * rounds, until a round has no failure; then resolves with true. Resolves with false if every round had a
 * failure. Resolves with false at once if a failure was not a lost connection. Concurrent callers share one
 * check.
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
    // Queries that are sent in the same turn of the event loop go to different connections.
    const queries = Array.from({ length: database.options.max }, async () => {
      try {
        await Promise.race([database`select 1`, late]);
        return null;
      } catch (error) {
        return error;
      }
    });
    const errors = (await Promise.all(queries)).filter((error) => error !== null);
    patience.abort();
    if (errors.length === 0) return true;
    // The server itself is unreachable, so further attempts would fail, too.
    if (!errors.every(isLostConnection)) return false;
  }
  return false;
}
