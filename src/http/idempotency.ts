/** Implements the `Idempotency-Key` header, for every POST with a token or session. */
import { createHash } from "node:crypto";
import type { Credential } from "../domain/access/credential.ts";
import { InvalidError } from "../domain/errors.ts";
import type { ServiceContext } from "../services/context.ts";
import {
  claimRequest,
  type IdempotentRequest,
  releaseRequest,
  settleRequest,
} from "../services/access/idempotency.ts";

export interface AuthenticatedRequest {
  readonly request: Request;
  readonly body: Uint8Array;
  readonly credential: Credential;
  /** Whether a response holds a secret that is never shown again. */
  readonly showsSecretOnce: boolean;
}

/**
 * Returns the response of `answer` and stores it for the request's `Idempotency-Key`. If the key was used
 * before, returns the stored response and does not call `answer`. Server errors are not stored, so that a
 * retry can succeed.
 */
export async function answerOnce(
  services: ServiceContext,
  { request, body, credential, showsSecretOnce }: AuthenticatedRequest,
  answer: () => Promise<Response>,
): Promise<Response> {
  const key = keyOf(request);
  if (key === null) return await answer();
  const call: IdempotentRequest = { credential, key, requestHash: hashOf(request, body) };
  const kept = await claimRequest(services, call);
  if (kept !== null) return replay(kept.status, kept.response);
  const response = await answer();
  if (response.status >= 500) {
    await releaseRequest(services, call);
  } else {
    const first = { status: response.status, response: await response.clone().text() };
    await settleRequest(services, call, first, showsSecretOnce && response.ok);
  }
  return response;
}

function keyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new InvalidError({
    "Idempotency-Key": ["The Idempotency-Key header must be 1 to 255 visible ASCII characters."],
  });
}

function hashOf(request: Request, body: Uint8Array): string {
  const { pathname, search } = new URL(request.url);
  return createHash("sha256").update(`${request.method} ${pathname}${search}\n`).update(body).digest("hex");
}

function replay(status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json", "Idempotency-Replayed": "true" },
  });
}
