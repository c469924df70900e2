/** Defines the entries of the audit log. An entry never contains a secret. */
import type { Credential } from "./access/credential.ts";

/**
 * The actor of an entry. `unknown` is an unauthenticated caller. If this caller's request contained an
 * expired or revoked token or session, `credential` identifies that token or session.
 */
export type AuditActor =
  | { readonly type: "user"; readonly userId: number; readonly credential: Credential }
  | { readonly type: "agent"; readonly remoteServerId: number }
  | { readonly type: "system" }
  | { readonly type: "command"; readonly name: string }
  /** A caller with the token of a task's trigger. The entry names the task as its resource. */
  | { readonly type: "trigger" }
  | { readonly type: "unknown"; readonly userId?: number; readonly credential?: Credential };

export const AUDIT_ACTORS = ["user", "agent", "system", "command", "trigger", "unknown"] as const;
export const AUDIT_RESULTS = ["done", "refused", "failed"] as const;
export type AuditResult = typeof AUDIT_RESULTS[number];

/** Number of days for which entries are kept by default. */
export const DEFAULT_AUDIT_LOG_DAYS = 400;

/** Origin of a request: the client's address and the request's id. */
export interface Origin {
  /** The client's address, perhaps as reported by a trusted proxy; null if unknown. */
  readonly address: string | null;
  /**
   * The `X-Request-Id` of the response: the value that the caller sent, or a generated UUID if the caller
   * sent none. Null for an event without a request.
   */
  readonly requestId: string | null;
}

export const NO_ORIGIN: Origin = { address: null, requestId: null };

export interface AuditEntry {
  readonly actor: AuditActor;
  /**
   * The workspace in which a user acted; null if the user acted in none. For an agent, this is also null, but
   * the stored entry contains the workspace of the agent's server.
   */
  readonly workspaceId: number | null;
  /** Id of an operation in the OpenAPI document, or the name of an event without a request. */
  readonly action: string;
  /** Type of the record that was acted on, as in the API's paths, such as `backup-tasks`; null for none. */
  readonly resource: string | null;
  readonly resourceId: number | null;
  /** Names of the fields that the request contained. */
  readonly fields: readonly string[];
  readonly result: AuditResult;
  /** Reason of a refusal, as the caller received it; null if the request was not refused. */
  readonly reason: string | null;
  readonly origin: Origin;
}
