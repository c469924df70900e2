/**
 * What the audit log says of requests: those that change something or read what is secret, and those that
 * were let in nowhere.
 */
import type { AuditActor, AuditResult, Origin } from "../domain/audit.ts";
import { UnauthenticatedError } from "../domain/errors.ts";
import { AuditedRequest, enterAudit } from "../services/access/audit_log.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { logger } from "../telemetry/logging.ts";
import type { Endpoint } from "./endpoint.ts";

/** True for requests that are entered when they succeed. */
export function isAudited({ method, audited }: Endpoint): boolean {
  return audited ?? method !== "get";
}

/** What is known of a request before it is looked at. */
export function auditOf(services: ServiceContext, endpoint: Endpoint, origin: Origin): AuditedRequest {
  return new AuditedRequest({
    actor: { type: "unknown" },
    action: endpoint.operationId,
    resource: resourceOf(endpoint),
    resourceId: null,
    fields: [],
    origin,
  }, () => services.clock.now());
}

export function actorOf({ userId, tokenId }: Caller): AuditActor {
  return { type: "user", userId, tokenId };
}

/** Names of what was sent and understood: of what was not, a name could be anything. */
export function fieldsOf(sent: unknown, body: unknown): string[] {
  if (typeof sent !== "object" || sent === null || typeof body !== "object" || body === null) return [];
  return Object.keys(body).filter((name) => Object.hasOwn(sent, name)).sort();
}

/**
 * Enters what the request's own transaction has not. Throws where nothing was changed and the database can't
 * be written: then nothing is to be told either.
 *
 * @param error What the answer was made of, if it is a refusal.
 * @param isServed It came to the handler, and is no repetition of an earlier answer.
 */
export async function settleAudit(
  services: ServiceContext,
  endpoint: Endpoint,
  request: AuditedRequest,
  { status, error, isServed }: { status: number; error: unknown; isServed: boolean },
): Promise<void> {
  const result = resultOf(status);
  if (!isEntered(endpoint, request, result, status, isServed)) return;
  request.settle();
  const refused = error instanceof UnauthenticatedError ? error.refused : null;
  if (refused !== null) request.add({ actor: { type: "unknown", ...refused } });
  const told = error instanceof Error ? error.message : "Unauthenticated.";
  const reason = refused?.reason ?? (result === "refused" ? told : null);
  try {
    await enterAudit(services, { ...request.entry, result, reason });
  } catch (cause) {
    if (result === "done" && endpoint.method === "get") throw cause;
    logger("http").error("Cannot enter {action} into the audit log: {error}", {
      action: endpoint.operationId,
      error: cause,
    });
  }
}

function isEntered(
  endpoint: Endpoint,
  request: AuditedRequest,
  result: AuditResult,
  status: number,
  isServed: boolean,
): boolean {
  if (status === 401 || status === 403) return endpoint.access !== "public";
  if (!isServed || !isAudited(endpoint)) return false;
  if (request.isEntered) return result !== "done";
  // What is refused for what it says has changed nothing.
  return result !== "refused";
}

function resultOf(status: number): AuditResult {
  return status >= 500 ? "failed" : status >= 400 ? "refused" : "done";
}

/** `/api/backup-tasks/{id}/run` is of `backup-tasks`. */
function resourceOf({ path }: Endpoint): string | null {
  return /^\/api\/([a-z-]+)/.exec(path)?.[1] ?? null;
}
