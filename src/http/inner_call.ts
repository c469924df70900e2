/** Calls an endpoint while the request to another endpoint is served. */
import type { InvalidError } from "../domain/errors.ts";
import { withAuditedRequest } from "../services/access/audit_log.ts";
import { actorOf, auditOf, fieldsOf, isAudited, settleAudit } from "./audit.ts";
import { requireAccess } from "./auth.ts";
import type { Answer, Call, Endpoint } from "./endpoint.ts";
import { errorAnswer } from "./errors.ts";

export interface InnerInput {
  readonly params: Readonly<Record<string, number>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/**
 * Calls an endpoint for the caller of `outer`. As in a request of its own, the ability is checked, and the
 * audit log gets a separate entry. Unlike in a request of its own, a fresh log-in is not required, and the
 * call does not count against the rate limit. The input must be valid. Never rejects.
 */
export async function callInner(
  outer: Call<string, unknown, unknown>,
  endpoint: Endpoint,
  { params, query = {}, body = {} }: InnerInput,
): Promise<Answer> {
  const { services, caller, origin, request } = outer;
  const audit = auditOf(services, endpoint, origin);
  audit.add({
    actor: actorOf(caller),
    workspaceId: caller.workspaceId,
    resourceId: params.id ?? null,
    fields: fieldsOf(body, body),
  });
  let error: unknown = null;
  let answer: Answer;
  try {
    requireAccess(caller, endpoint.access as Parameters<typeof requireAccess>[1]);
    const serve = async () => await endpoint.handle({ ...outer, params, query, body } as never) as Answer;
    answer = await (isAudited(endpoint) ? withAuditedRequest(audit, serve) : serve());
  } catch (cause) {
    error = cause;
    answer = errorAnswer(cause, request);
  }
  await settleAudit(services, endpoint, audit, { status: answer.status, error, isServed: true });
  return answer;
}

/** Returns the message of an answer. For invalid input, returns the first error of a field. */
export function messageOf({ body }: Answer): string {
  const { message, errors } = body as { message?: string; errors?: InvalidError["errors"] };
  return Object.values(errors ?? {})[0]?.[0] ?? message ?? "";
}
