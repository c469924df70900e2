/** Keeps the process running when a database connection breaks. */
import { logger } from "../telemetry/logging.ts";

/** Codes that the operating system and postgres.js give to a broken connection. */
const CODES = /^(EPIPE|ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONN\w+)$/;
/** Codes of the errors with which Postgres ends a connection. */
const ENDED = /^(57P0\d|08\w{3}|25006)$/;
/**
 * Queries that postgres.js itself sends on a new connection. One asks for array types. The other asks whether
 * the server accepts writes.
 */
const OWN_QUERIES = /^\s*(select b\.oid, b\.typarray|show transaction_read_only)/;

/**
 * Keeps the process running if one of postgres.js's own queries fails. postgres.js sends these queries on a
 * new connection. They fail if the connection breaks, if the server refuses the log-in, or if a time limit of
 * the server passes. No code awaits their promises, so a rejection would otherwise end the process.
 *
 * The caller's query, for which postgres.js opened the connection, is rejected separately.
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
