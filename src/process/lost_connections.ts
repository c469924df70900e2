/** A database connection that breaks is no reason to end the process. */
import { logger } from "../telemetry/logging.ts";

/** Of the operating system, of postgres.js, and of Postgres when it shuts down or is killed. */
const CODES =
  /^(EPIPE|ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECTION_\w+|CONNECT_TIMEOUT|57P0\d|08\w{3}|25006)$/;

/**
 * postgres.js asks every new connection for its array types and leaves that promise to nobody: when the connection
 * breaks first, the runtime would end the process. The query that wanted the connection is refused in its own right.
 */
export function ignoreConnectionResets(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    const code = (event.reason as { code?: unknown } | null)?.code;
    if (typeof code !== "string" || !CODES.test(code)) return;
    event.preventDefault();
    logger("database").warn("A connection was lost ({code})", { code });
  });
}
