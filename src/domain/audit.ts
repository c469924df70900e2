/** What the audit log says of one act. Never with a secret in it. */

/** Who acts. `unknown`: nobody that is known; `token_id` then names a token that is no longer good. */
export type AuditActor =
  | { readonly type: "user"; readonly userId: number; readonly tokenId: number }
  | { readonly type: "agent"; readonly remoteServerId: number }
  | { readonly type: "system" }
  | { readonly type: "command"; readonly name: string }
  | { readonly type: "unknown"; readonly userId?: number; readonly tokenId?: number };

export const AUDIT_ACTORS = ["user", "agent", "system", "command", "unknown"] as const;
export const AUDIT_RESULTS = ["done", "refused", "failed"] as const;
export type AuditResult = typeof AUDIT_RESULTS[number];

/** How long entries are kept. */
export const DEFAULT_AUDIT_LOG_DAYS = 400;

/** Where a request comes from. */
export interface Origin {
  /** Of the client, not of the proxies that are trusted; null where it is not known. */
  readonly address: string | null;
  /** The answer's `X-Request-Id`: a UUID, the caller's own where it sent one. Null for what is no request. */
  readonly requestId: string | null;
}

export const NO_ORIGIN: Origin = { address: null, requestId: null };

export interface AuditEntry {
  readonly actor: AuditActor;
  /** An operation of the API's document, or an event that is no request. */
  readonly action: string;
  /** As in the API's paths: `backup-tasks`. */
  readonly resource: string | null;
  readonly resourceId: number | null;
  /** Names of the fields that were sent. */
  readonly fields: readonly string[];
  readonly result: AuditResult;
  /** Why it was refused, as the caller was told. */
  readonly reason: string | null;
  readonly origin: Origin;
}
