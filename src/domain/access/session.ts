/** Says how long log-in sessions and set-up links last. */

/** A session ends after this time without a request, in milliseconds. */
export const SESSION_IDLE = 12 * 3_600_000;
/** A session ends at the latest after this time, in milliseconds. */
export const SESSION_LIFETIME = 14 * 24 * 3_600_000;
/** How long a log-in counts as fresh, in milliseconds. Some actions need a fresh log-in. */
export const FRESH_LOGIN = 10 * 60_000;
/**
 * How long an ended session stays in the database, in milliseconds. As long as a session is stored, its
 * network counts as known to its user: failed log-ins from other networks do not delay log-ins from it.
 */
export const SESSION_KEPT = 30 * 24 * 3_600_000;
/** How long a user may take to register a passkey or to log in with one, in milliseconds. */
export const PASSKEY_TIME = 5 * 60_000;
/** Time limit for entering the second factor after the password, in milliseconds. */
export const SECOND_FACTOR_TIME = 5 * 60_000;
/** Time limit for logging in at an OpenID Connect provider, in milliseconds. */
export const OPENID_LOGIN_TIME = 10 * 60_000;
/** How long a set-up link works, in milliseconds. */
export const SETUP_LINK_LIFETIME = 24 * 3_600_000;

/** Returns the time at which a session ends, unless it is used or ended before that time. */
export function sessionEnd({ expires_at, last_used_at }: { expires_at: Date; last_used_at: Date }): Date {
  return new Date(Math.min(expires_at.getTime(), last_used_at.getTime() + SESSION_IDLE));
}
