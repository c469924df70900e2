/**
 * Makes retried writes safe: the first response to a request with an `Idempotency-Key` is kept for a day and
 * returned again. The key is claimed before the work begins and settled after it, so that a second request
 * never runs in parallel with the first.
 */
import { ConflictError, InvalidError } from "../../domain/errors.ts";
import {
  claimIdempotencyKey,
  deleteIdempotencyKey,
  findIdempotencyKey,
  type IdempotencyKeyRow,
  storeIdempotentResponse,
} from "../../store/access/idempotency_keys.ts";
import type { ServiceContext } from "../context.ts";

/** How long a response is kept. Milliseconds. */
const RETENTION = 24 * 3_600_000;
/**
 * Maximum duration of a request: a key that is claimed for longer belongs to a process that ended.
 * Milliseconds.
 */
const CUT_OFF_AFTER = 15 * 60_000;

/** One request: the caller's token, the key, and the SHA-256 of the request. */
export interface IdempotentRequest {
  readonly tokenId: number;
  readonly key: string;
  readonly requestHash: string;
}

export interface StoredResponse {
  readonly status: number;
  /** The body, as sent. */
  readonly response: string;
}

/**
 * Returns null for the first request with this key: the caller must answer it, then settle or release the
 * key. Throws a {@link ConflictError} while the first is in progress, or if its response can't be shown
 * again. Throws an {@link InvalidError} if the first was a different request.
 */
export async function claimRequest(
  services: ServiceContext,
  request: IdempotentRequest,
): Promise<StoredResponse | null> {
  const now = services.clock.now();
  const expired = new Date(now.getTime() - RETENTION);
  const { tokenId, key, requestHash } = request;
  for (;;) {
    if (await claimIdempotencyKey(services.database, request, { now, expired })) return null;
    const row = await findIdempotencyKey(services.database, tokenId, key);
    if (row !== undefined) return storedResponse(row, requestHash, now);
    // The first request failed and released the key between the two statements.
  }
}

/** Keeps a response. Keeps none of the body if it holds a secret that is shown once. */
export async function settleRequest(
  services: ServiceContext,
  request: IdempotentRequest,
  stored: StoredResponse,
  isSecret: boolean,
): Promise<void> {
  const { status, response } = stored;
  const kept = { status, response: isSecret ? null : response, is_secret: isSecret };
  await storeIdempotentResponse(services.database, request.tokenId, request.key, kept);
}

/** Releases the key: the request failed on the control plane's side and may be repeated. */
export async function releaseRequest(services: ServiceContext, request: IdempotentRequest): Promise<void> {
  await deleteIdempotencyKey(services.database, request.tokenId, request.key);
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
