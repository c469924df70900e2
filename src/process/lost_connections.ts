/** Keeps the process running when a database connection breaks. */
import { logger } from "../telemetry/logging.ts";

/** Codes of the operating system and of postgres.js for a broken connection. */
const CODES = /^(EPIPE|ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONN\w+)$/;
/** Codes of Postgres for a connection that it ends. */
const ENDED = /^(57P0\d|08\w{3}|25006)$/;
/** Queries that postgres.js sends by itself on a new connection: array types, and whether it takes writes. */
const OWN_QUERIES = /^\s*(select b\.oid, b\.typarray|show transaction_read_only)/;

/**
 * Keeps the process alive when a query fails that postgres.js itself sends on a new connection, as nothing
 * awaits its promise. Such a query fails with a broken connection, a refused log-in or a time limit of the
 * server. The query for which the connection was opened is rejected separately.
 */
export function ignoreConnectionResets(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    const { code, name, query } = (event.reason ?? {}) as { code?: unknown; name?: unknown; query?: unknown };
    if (typeof code !== "string") return;
    const isOwn = ENDED.test(code) || OWN_QUERIES.test(String(query));
    if (!(name === "PostgresError" ? isOwn : CODES.test(code))) return;
    event.preventDefault();
    logger("database").warn("A connection was lost ({code})", { code, error: event.reason });
  });
}
