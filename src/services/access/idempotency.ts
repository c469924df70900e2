/**
 * Makes retried writes safe. The first response to a request with an `Idempotency-Key` is kept for a day and
 * returned for every repetition. A request claims its key before the work begins and stores its response
 * after the work. Two requests with the same key therefore never run at once.
 */
import type { Credential } from "../../domain/access/credential.ts";
import { ConflictError, InvalidError } from "../../domain/errors.ts";
import {
  claimIdempotencyKey,
  deleteIdempotencyKey,
  findIdempotencyKey,
  type IdempotencyKeyRow,
  storeIdempotentResponse,
} from "../../store/access/idempotency_keys.ts";
import type { ServiceContext } from "../context.ts";

/** How long a response is kept, in milliseconds. */
const RETENTION = 24 * 3_600_000;
/**
 * Maximum duration of a request, in milliseconds. If a key was claimed longer ago and has no response, the
 * process that claimed it has ended.
 */
const CUT_OFF_AFTER = 15 * 60_000;

/**
 * What identifies a request: the caller's token or session, the idempotency key, and the SHA-256 of the
 * request's method, path, query and body.
 */
export interface IdempotentRequest {
  readonly credential: Credential;
  readonly key: string;
  readonly requestHash: string;
}

export interface StoredResponse {
  readonly status: number;
  /** The response body, exactly as it was sent. */
  readonly response: string;
}

/**
 * Claims the key of a request. Returns null if this is the first request with the key. The caller must then
 * answer the request, and settle or release the key. If the request is a repetition, returns the stored
 * response.
 *
 * Throws a {@link ConflictError} while the first request is in progress, and if the first response can't be
 * shown again. Throws an {@link InvalidError} if the key was used for a different request.
 */
export async function claimRequest(
  services: ServiceContext,
  request: IdempotentRequest,
): Promise<StoredResponse | null> {
  const now = services.clock.now();
  const expired = new Date(now.getTime() - RETENTION);
  const { credential, key, requestHash } = request;
  for (;;) {
    if (await claimIdempotencyKey(services.database, request, { now, expired })) return null;
    const row = await findIdempotencyKey(services.database, credential, key);
    if (row !== undefined) return storedResponse(row, requestHash, now);
    // This loop found the key claimed. Since then, the first request has failed and released the key. So try
    // to claim the key again.
  }
}

/**
 * Stores the response to a request. Stores it without its body if the body holds a secret that is shown once.
 */
export async function settleRequest(
  services: ServiceContext,
  request: IdempotentRequest,
  stored: StoredResponse,
  isSecret: boolean,
): Promise<void> {
  const { status, response } = stored;
  const kept = { status, response: isSecret ? null : response, is_secret: isSecret };
  await storeIdempotentResponse(services.database, request.credential, request.key, kept);
}

/**
 * Releases the key of a request that failed on the control plane's side, so that the client can repeat the
 * request.
 */
export async function releaseRequest(services: ServiceContext, request: IdempotentRequest): Promise<void> {
  await deleteIdempotencyKey(services.database, request.credential, request.key);
}

function storedResponse(row: IdempotencyKeyRow, requestHash: string, now: Date): StoredResponse {
  if (row.request_hash !== requestHash) {
    throw new InvalidError({
      "Idempotency-Key": ["The Idempotency-Key was already used for another request; use a new one."],
    });
  }
  if (row.status === null) {
    throw new ConflictError(
      now.getTime() - row.created_at.getTime() < CUT_OFF_AFTER
        ? "The first request with this Idempotency-Key is still in progress; try again in a moment."
        : "The first request with this Idempotency-Key was interrupted: check whether it took effect, then use a new key.",
    );
  }
  if (row.is_secret) {
    throw new ConflictError(
      "The first request with this Idempotency-Key succeeded, and its response contained a token that is shown only " +
        "once. Use a new key to make another, and delete the one that was lost.",
    );
  }
  return { status: row.status, response: row.response ?? "" };
}
