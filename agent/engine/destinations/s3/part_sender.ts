/** Sends the parts of an upload to the bucket. Retries a part if a later attempt might succeed. */
import type { Clock } from "../../../../src/domain/clock.ts";
import { Backoff } from "../../../backoff.ts";
import { RunFailedError } from "../../ports.ts";
import { type DestinationLimits, runLimits } from "../limits.ts";
import { foreignAnswer } from "./answers.ts";
import type { PartUrls } from "./part_urls.ts";
import type { PutConnections, PutOutcome } from "./put.ts";

const FIRST_BACKOFF = 500;
const LONGEST_BACKOFF = 30_000;
/**
 * Maximum factor by which `idleMs` is multiplied. A part's first attempt has factor 1. Each further attempt
 * adds 1, because a slow link needs more time.
 */
const LONGEST_IDLE = 4;
/**
 * The time limit for a response, counted from the last byte that was sent, as a multiple of `idleMs`. It
 * begins at `FIRST_ANSWER`. Each attempt that gets no response doubles the limit for later attempts. It is
 * doubled at most `UNANSWERED_TRIES - 1` times.
 *
 * The limit is that long because a part can stay in buffers between the agent and the bucket: at 40 KB/s, for
 * seven minutes.
 */
const FIRST_ANSWER = 3;
const UNANSWERED_TRIES = 4;
/**
 * The time limit of an attempt is `LONGEST` times `idleMs`, plus the time that the part takes at a rate of
 * `SLOWEST` bytes a second.
 */
const LONGEST = 30;
const SLOWEST = 2048;
/**
 * Age in milliseconds up to which a signed URL counts as fresh. If the bucket refuses a fresh URL, the reason
 * is not that the URL has expired.
 */
const FRESH = 60_000;

type Failed = Exclude<PutOutcome, { kind: "stored" }>;

export interface PartSenderContext {
  /** Description of the bucket for errors: `bucket backups`. */
  readonly description: string;
  readonly urls: PartUrls;
  readonly connections: PutConnections;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Limits on how long the sender waits for the bucket. If absent, the limits of a run apply. */
  readonly limits?: DestinationLimits;
  /** Called when the first attempt to send a part has failed and another attempt follows. */
  onTrouble(text: string): void;
}

export class PartSender {
  /** Number of attempts in which all bytes of a part were sent, but no response came in time. */
  #unanswered = 0;
  #isAnyStored = false;
  #alone: Promise<unknown> = Promise.resolve();

  readonly #context: PartSenderContext;
  readonly #limits: DestinationLimits;

  constructor(context: PartSenderContext) {
    this.#context = context;
    this.#limits = context.limits ?? runLimits();
  }

  /**
   * Sends a part and returns its ETag. Rejects with a `RunFailedError` if the part can't be sent. Rejects
   * with the signal's reason if the signal aborts.
   */
  async send(partNumber: number, body: Uint8Array, md5: string): Promise<string> {
    const backoff = new Backoff(FIRST_BACKOFF, LONGEST_BACKOFF);
    const started = this.#context.clock.monotonic();
    for (let tries = 1;; tries++) {
      const { outcome, signedAt } = await this.#try(partNumber, { body, md5 }, tries);
      if (outcome.kind === "stored") {
        this.#isAnyStored = true;
        this.#context.urls.done(partNumber);
        return outcome.etag;
      }
      const now = this.#context.clock.monotonic();
      if (outcome.kind === "refused" && outcome.status === 403 && now - signedAt > FRESH) {
        this.#context.urls.forget(signedAt);
        continue;
      }
      if (this.#isKeyRefused(outcome)) this.#context.urls.forget(signedAt);
      else if (!isPassing(outcome)) throw this.#failure(outcome);
      if (outcome.kind === "lost" && outcome.isUnanswered) {
        if (this.#unanswered++ >= UNANSWERED_TRIES && now - started > this.#limits.patienceMs) {
          throw this.#failure(outcome);
        }
      } else if (now - started > this.#limits.patienceMs) throw this.#failure(outcome);
      if (tries === 1) {
        this.#context.onTrouble(
          `Part ${partNumber} did not get into ${this.#context.description} (${tell(outcome)}); trying again`,
        );
      }
      await this.#context.clock.sleep(backoff.next(), this.#context.signal);
    }
  }

  /**
   * Makes one attempt to send a part. Returns the outcome and the time at which the URL was signed. Attempts
   * for several parts can run at once. But after an attempt that got no response, new attempts are made one
   * at a time, because the link might be too slow for several parts at once.
   */
  async #try(
    partNumber: number,
    part: { body: Uint8Array; md5: string },
    tries: number,
  ): Promise<{ outcome: PutOutcome; signedAt: number }> {
    const before = this.#alone;
    const isSlow = this.#unanswered > 0;
    const trying = (async () => {
      if (isSlow) await before.catch(() => {});
      const { url, signedAt } = await this.#context.urls.of(partNumber);
      const { idleMs } = this.#limits;
      const limits = {
        idleMs: idleMs * Math.min(tries, LONGEST_IDLE),
        totalMs: idleMs * LONGEST + part.body.length / SLOWEST * 1000,
        answerMs: idleMs * FIRST_ANSWER * 2 ** Math.min(this.#unanswered, UNANSWERED_TRIES - 1),
      };
      return {
        outcome: await this.#context.connections.put(url, part, limits, this.#context.signal),
        signedAt,
      };
    })();
    if (isSlow) this.#alone = trying;
    return await trying;
  }

  /**
   * Returns whether the bucket refuses an access key that worked before. If so, the operator might be about
   * to replace the key.
   */
  #isKeyRefused(outcome: Failed): boolean {
    return this.#isAnyStored && outcome.kind === "refused" &&
      (outcome.status === 401 || outcome.status === 403);
  }

  #failure(outcome: Failed): RunFailedError {
    const advice = outcome.kind === "refused" ? adviceOn(outcome) : undefined;
    return new RunFailedError(`Cannot upload to ${this.#context.description}: ${advice ?? tell(outcome)}`);
  }
}

const ADVICE: Record<string, string> = {
  AccessDenied: "the access key may not put objects there (AccessDenied$). Allow it to.",
  SignatureDoesNotMatch:
    "the secret key does not belong to the access key (SignatureDoesNotMatch). Check the destination.",
  InvalidAccessKeyId: "the service does not know the access key (InvalidAccessKeyId). Check the destination.",
  NoSuchBucket: "the bucket no longer exists (NoSuchBucket). Create it again.",
  NoSuchUpload: "the upload was aborted at the bucket (NoSuchUpload). Run the task again.",
  QuotaExceeded: "its quota is exhausted (QuotaExceeded). Raise it, or keep fewer backups.",
  RequestTimeTooSkewed:
    "the clock of the control plane differs from the service's by too much (RequestTimeTooSkewed). Set the clock.",
  "HTTP 200":
    "it accepted a part but sent no ETag, which is needed to complete the upload (HTTP 200). Check the proxies in front of it.",
  "HTTP 413":
    "a proxy in front of it refuses bodies as large as a part (HTTP 413). Raise its limit: client_max_body_size 0 " +
    "for nginx.",
};

function adviceOn({ code, message, status, isForeign }: Extract<Failed, { kind: "refused" }>) {
  if (code === "AccessDenied" && /expired|not (?:yet )?valid yet|not yet valid/i.test(message)) {
    return `its signatures are not valid at its time (${message}). Set the control plane's clock.`;
  }
  // If a bucket policy or an object lock denies access, the service's message says more than its error code.
  const said = message === "" || /^access denied\.?$/i.test(message) ? "" : `: ${message.replace(/\.$/, "")}`;
  const advice = ADVICE[code]?.replace("$", () => said);
  return advice ?? (isForeign ? `${foreignAnswer(status)}. Check the proxies in front of it.` : undefined);
}

const PASSING_CODES = new Set([
  "SlowDown",
  "RequestTimeout",
  "InternalError",
  "ServiceUnavailable",
  "BadDigest",
  "RequestTimeTooSkewed",
]);

/**
 * Returns whether the bucket might accept the same part later. After status 507, the bucket will not accept
 * the part, because the bucket's disk is full.
 */
function isPassing(outcome: Failed): boolean {
  if (outcome.kind === "lost") return !outcome.isFinal;
  const { status, code, isForeign } = outcome;
  // Status 413 reports a proxy's size limit. Waiting does not change this limit.
  if (status === 413) return false;
  return isForeign || PASSING_CODES.has(code) || status === 408 || status === 429 ||
    status >= 500 && status !== 501 && status !== 507;
}

function tell(outcome: Failed): string {
  if (outcome.kind === "lost") return outcome.reason;
  if (outcome.isForeign) return foreignAnswer(outcome.status);
  return outcome.message === "" ? outcome.code : `${outcome.message} (${outcome.code})`;
}
