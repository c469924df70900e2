/** What the database and the way to it say while they are away. */

/**
 * Whether the same may be stored later: what Postgres and the way to it say when they are away, busy or
 * moving to another server (classes 08, 25, 40, 53, 55, 57, 58; codes of the system and of the client).
 * Anything else is of what is stored: whatever an agent sends, it must not hold up the others.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(08|25|40|53|55|57|58)...$/.test(code) ||
    /^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_[A-Z]+)$/.test(code);
}
