/**
 * Decides which requests the audit log records: changes, reads of secrets, and requests that were not
 * authorized.
 */
import type { AuditActor, AuditResult, Origin } from "../domain/audit.ts";
import { UnauthenticatedError } from "../domain/errors.ts";
import { AuditedRequest, enterAudit } from "../services/access/audit_log.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { logger } from "../telemetry/logging.ts";
import type { Endpoint } from "./endpoint.ts";

/** Returns whether the audit log records a successful request to the endpoint. */
export function isAudited({ method, audited }: Endpoint): boolean {
  return audited ?? method !== "get";
}

/** Starts the audit log entry of a request with the values that are available before authentication. */
export function auditOf(services: ServiceContext, endpoint: Endpoint, origin: Origin): AuditedRequest {
  return new AuditedRequest({
    actor: { type: "unknown" },
    workspaceId: null,
    action: endpoint.operationId,
    resource: resourceOf(endpoint),
    resourceId: null,
    fields: [],
    origin,
  }, () => services.clock.now());
}

export function actorOf({ userId, credential }: Caller): AuditActor {
  return { type: "user", userId, credential };
}

/**
 * Returns the names of the fields that were sent and parsed. Unknown names are left out: they could contain
 * anything.
 */
export function fieldsOf(sent: unknown, body: unknown): string[] {
  if (typeof sent !== "object" || sent === null || typeof body !== "object" || body === null) return [];
  return Object.keys(body).filter((name) => Object.hasOwn(sent, name)).sort();
}

/**
 * Adds the request to the audit log. Does nothing if a successful change has already added the entry in its
 * own transaction.
 *
 * If the entry of a successful read cannot be added, throws, so that the data is not returned. If the entry
 * of any other request cannot be added, logs this failure and does not throw.
 *
 * @param error The error behind the response, if the response is a refusal.
 * @param isServed Whether the handler was called. It is not called if an earlier check refused the request,
 *   or if the client gets the stored response to an earlier request.
 */
export async function settleAudit(
  services: ServiceContext,
  endpoint: Endpoint,
  request: AuditedRequest,
  { status, error, isServed }: { status: number; error: unknown; isServed: boolean },
): Promise<void> {
  const result = resultOf(status);
  if (!mustRecord(endpoint, request, result, status, isServed)) return;
  request.settle();
  const refused = error instanceof UnauthenticatedError ? error.refused : null;
  if (refused !== null) {
    const { userId, credential } = refused;
    request.add({ actor: { type: "unknown", userId, credential } });
  }
  const message = error instanceof Error ? error.message : "Unauthenticated.";
  const reason = refused?.reason ?? (result === "refused" ? message : null);
  try {
    await enterAudit(services, { ...request.entry, result, reason });
  } catch (cause) {
    if (result === "done" && endpoint.method === "get") throw cause;
    logger("http").error("Cannot add {action} to the audit log: {error}", {
      action: endpoint.operationId,
      error: cause,
    });
  }
}

function mustRecord(
  endpoint: Endpoint,
  request: AuditedRequest,
  result: AuditResult,
  status: number,
  isServed: boolean,
): boolean {
  if (status === 401 || status === 403) return endpoint.access !== "public" || endpoint.logsIn === true;
  if (!isServed || !isAudited(endpoint)) return false;
  if (request.isEntered) return result !== "done";
  // A request with invalid content has changed nothing, so it is not recorded.
  return result !== "refused";
}

function resultOf(status: number): AuditResult {
  return status >= 500 ? "failed" : status >= 400 ? "refused" : "done";
}

/** Returns the resource in a path: `backup-tasks` for `/api/backup-tasks/{id}/run`. */
function resourceOf({ path }: Endpoint): string | null {
  return /^\/api\/([a-z-]+)/.exec(path)?.[1] ?? null;
}
