/**
 * What identifies a caller: an API token, a log-in session, or the token of a task's trigger. `id` is the
 * token's or the session's id in the database. For a trigger, `id` is the task's id.
 */
export interface Credential {
  readonly kind: "token" | "session" | "trigger";
  readonly id: number;
}

/** The credential of calls that the control plane makes itself. No token has this id. */
export const OWN_CREDENTIAL: Credential = { kind: "token", id: 0 };

/** Minimum time between two updates of a credential's last use, in milliseconds. */
export const USE_RECORD_INTERVAL = 60_000;
