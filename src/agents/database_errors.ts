/** Recognizes errors of an unavailable database. */

/**
 * Returns whether storing the same data again later might succeed. This is true for errors of the database or
 * the network, which can be unavailable, busy or failing over. These errors have the SQLSTATE classes 08, 25,
 * 40, 53, 55, 57 and 58, or error codes of the system or the client.
 *
 * Any other error is caused by the data itself. Such data is refused, so that it does not block the data of
 * other agents.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(08|25|40|53|55|57|58)...$/.test(code) ||
    /^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_[A-Z]+)$/.test(code);
}
