/** Defines the entries of the audit log. An entry never contains a secret. */

/**
 * The actor of an entry. `unknown`: an unauthenticated caller; `token_id` then names an expired or revoked
 * token.
 */
export type AuditActor =
  | { readonly type: "user"; readonly userId: number; readonly tokenId: number }
  | { readonly type: "agent"; readonly remoteServerId: number }
  | { readonly type: "system" }
  | { readonly type: "command"; readonly name: string }
  | { readonly type: "unknown"; readonly userId?: number; readonly tokenId?: number };

export const AUDIT_ACTORS = ["user", "agent", "system", "command", "unknown"] as const;
export const AUDIT_RESULTS = ["done", "refused", "failed"] as const;
export type AuditResult = typeof AUDIT_RESULTS[number];

/** The number of days for which entries are kept by default. */
export const DEFAULT_AUDIT_LOG_DAYS = 400;

/** The client and the id of a request. */
export interface Origin {
  /** The client's address, behind any trusted proxies. Null if unknown. */
  readonly address: string | null;
  /**
   * The response's `X-Request-Id`: the caller's own if it sent one, else a UUID. Null for an event that is
   * not a request.
   */
  readonly requestId: string | null;
}

export const NO_ORIGIN: Origin = { address: null, requestId: null };

export interface AuditEntry {
  readonly actor: AuditActor;
  /** An operation of the OpenAPI document, or an event that is not a request. */
  readonly action: string;
  /** The name in the API's paths, such as `backup-tasks`. */
  readonly resource: string | null;
  readonly resourceId: number | null;
  /** The names of the fields that were sent. */
  readonly fields: readonly string[];
  readonly result: AuditResult;
  /** The reason of a refusal, as the caller received it. */
  readonly reason: string | null;
  readonly origin: Origin;
}
