/**
 * What identifies a caller: an API token or a log-in session, with its id in the database, or the token of a
 * task's trigger, with the task's id.
 */
export interface Credential {
  readonly kind: "token" | "session" | "trigger";
  readonly id: number;
}

/** The credential of calls that the control plane makes itself. No token has this id. */
export const OWN_CREDENTIAL: Credential = { kind: "token", id: 0 };
