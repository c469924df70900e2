/** Detects pool connections that the server has closed unnoticed, and replaces them. */
import { systemClock } from "../../domain/clock.ts";
import type { Database } from "./sql.ts";

/**
 * Error codes of a query whose connection is lost while the server may be up: network errors, and a server
 * process that was terminated or idle for too long.
 */
const LOST = new Set(["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "57P01", "57P02", "57P05"]);
/** One round finds the lost connections; another one confirms that their replacements work. */
const ROUNDS = 3;
/** Timeout in milliseconds. A busy connection answers late, but being busy proves that it works. */
const PATIENCE = 1_000;

export function isLostConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOST.has(String(error.code));
}

const settling = new WeakMap<Database, Promise<boolean>>();

/**
 * Queries every connection of the pool, so that lost ones are noticed and replaced. Resolves with true after
 * a round without a failure, otherwise with false. Concurrent callers share one check.
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
    // Sent in one turn of the event loop, each query takes its own connection.
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
    // The server is away: more attempts would fail the same way.
    if (!errors.every(isLostConnection)) return false;
  }
  return false;
}
