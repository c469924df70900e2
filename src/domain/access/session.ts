/** The lifetimes of log-in sessions, in milliseconds. */

/** How long a session lasts without a request. */
export const SESSION_IDLE = 12 * 3_600_000;
/** How long a session lasts at most. */
export const SESSION_LIFETIME = 14 * 24 * 3_600_000;
/** How long a log-in counts as fresh, for actions that need one. */
export const FRESH_LOGIN = 10 * 60_000;
/** How long an ended session stays in the database: its address then counts as known to the account. */
export const SESSION_KEPT = 30 * 24 * 3_600_000;
/** How long a set-up link works. */
export const SETUP_LINK_LIFETIME = 24 * 3_600_000;

/** Returns when a session ends by itself. */
export function sessionEnd({ expires_at, last_used_at }: { expires_at: Date; last_used_at: Date }): Date {
  return new Date(Math.min(expires_at.getTime(), last_used_at.getTime() + SESSION_IDLE));
}
