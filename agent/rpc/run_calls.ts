/**
 * What a run asks of the control plane, over the link: until it is answered, with what was asked for or with
 * why not.
 */
import type { Clock } from "../../src/domain/clock.ts";
import { activeSpan, traceparentOf } from "../../src/telemetry/tracing.ts";
import { Backoff } from "../backoff.ts";
import type { StorageRequest, StorageResponse } from "./calls.ts";
import { RunFailedError } from "../engine/ports.ts";

/**
 * How long a call is retried while the control plane answers "later", for example for an unreachable bucket.
 * Milliseconds.
 */
const PATIENCE = 15 * 60_000;
/** Time after which a call without an answer is reported, in milliseconds. */
const QUIET = 30_000;

export interface RequestLink {
  call(message: StorageRequest, signal: AbortSignal): Promise<StorageResponse>;
}

export class RunRequests {
  /** @param waiting Told once a call that it is tried again, and why. */
  constructor(
    private readonly link: RequestLink,
    private readonly clock: Clock,
    private readonly waiting: (reason: string) => void = () => {},
  ) {}

  /** Rejects with a `RunFailedError` where it is refused for good, or with the signal's reason. */
  async ask<T extends StorageResponse["type"]>(
    call: StorageRequest,
    expected: T,
    signal: AbortSignal,
  ): Promise<Extract<StorageResponse, { type: T }>> {
    const traceparent = traceparentOf(activeSpan());
    const backoff = new Backoff(500, 30_000);
    const started = this.clock.monotonic();
    for (let tries = 1;; tries++) {
      const answer = await this.#answered({ ...call, traceparent }, signal);
      if (answer.type === expected) return answer as Extract<StorageResponse, { type: T }>;
      if (answer.type !== "upload.refused" && answer.type !== "download.refused") {
        throw new RunFailedError(
          `Cannot go on: the control plane answered ${call.type} with ${answer.type}`,
        );
      }
      if (!answer.retryable || this.clock.monotonic() - started > PATIENCE) {
        throw new RunFailedError(answer.message);
      }
      if (tries === 2) this.waiting(answer.message);
      await this.clock.sleep(backoff.next(), signal);
    }
  }

  async #answered(call: StorageRequest, signal: AbortSignal): Promise<StorageResponse> {
    const over = new AbortController();
    const tell = () =>
      this.waiting(`the control plane, or the bucket that it asks, has not answered ${call.type} yet`);
    this.clock.sleep(QUIET, over.signal).then(tell, () => {});
    try {
      return await this.link.call(call, signal);
    } finally {
      over.abort();
    }
  }
}
