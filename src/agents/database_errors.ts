/** Recognizes errors of an unavailable database. */

/**
 * Returns whether storing the same data may succeed later: the database or the network is unavailable, busy
 * or failing over (SQLSTATE classes 08, 25, 40, 53, 55, 57, 58; error codes of the system and of the client).
 * Any other error is caused by the data itself, which must not block the data of other agents.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(08|25|40|53|55|57|58)...$/.test(code) ||
    /^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_[A-Z]+)$/.test(code);
}
