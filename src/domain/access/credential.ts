/** What identified a caller: an API token or a log-in session, with its id in the database. */
export interface Credential {
  readonly kind: "token" | "session";
  readonly id: number;
}

/** The credential of calls that the control plane makes itself. No token has this id. */
export const OWN_CREDENTIAL: Credential = { kind: "token", id: 0 };
