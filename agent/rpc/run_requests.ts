/**
 * Makes a run's requests to the control plane. Retries each request until the control plane responds with the
 * result or refuses the request for good.
 */
import type { Clock } from "../../src/domain/clock.ts";
import { activeSpan, traceparentOf } from "../../src/telemetry/tracing.ts";
import { Backoff } from "../backoff.ts";
import type { StorageRequest, StorageResponse } from "./storage_requests.ts";
import { RunFailedError } from "../engine/ports.ts";

/**
 * Time in milliseconds for which a refused request is retried. A request is retried only if its refusal says
 * that a retry might succeed, for example because the bucket can't be reached.
 */
const RETRY_LIMIT = 15 * 60_000;
/** Time after which a request without a response is reported to the output, in milliseconds. */
const SLOW_AFTER = 30_000;

export interface RequestLink {
  request(message: StorageRequest, signal: AbortSignal): Promise<StorageResponse>;
}

export class RunRequests {
  /**
   * @param waiting Called in two cases: the control plane has refused a request twice and the run will try
   *   again, or a response is slow. The argument of `waiting` says why the run waits.
   */
  constructor(
    private readonly link: RequestLink,
    private readonly clock: Clock,
    private readonly waiting: (reason: string) => void = () => {},
  ) {}

  /**
   * Makes a request and returns the response of the type `expected`. Rejects with a `RunFailedError` if the
   * request is refused for good. Rejects with the signal's reason if the signal aborts.
   */
  async request<T extends StorageResponse["type"]>(
    call: StorageRequest,
    expected: T,
    signal: AbortSignal,
  ): Promise<Extract<StorageResponse, { type: T }>> {
    const traceparent = traceparentOf(activeSpan());
    const backoff = new Backoff(500, 30_000);
    const started = this.clock.monotonic();
    for (let tries = 1;; tries++) {
      const answer = await this.#send({ ...call, traceparent }, signal);
      if (answer.type === expected) return answer as Extract<StorageResponse, { type: T }>;
      if (answer.type !== "upload.refused" && answer.type !== "download.refused") {
        throw new RunFailedError(
          `Cannot go on: the control plane answered ${call.type} with ${answer.type}`,
        );
      }
      if (!answer.retryable || this.clock.monotonic() - started > RETRY_LIMIT) {
        throw new RunFailedError(answer.message);
      }
      if (tries === 2) this.waiting(answer.message);
      await this.clock.sleep(backoff.next(), signal);
    }
  }

  async #send(call: StorageRequest, signal: AbortSignal): Promise<StorageResponse> {
    const over = new AbortController();
    const reportSlow = () =>
      this.waiting(`the control plane, or the bucket that it asks, has not responded to ${call.type} yet`);
    this.clock.sleep(SLOW_AFTER, over.signal).then(reportSlow, () => {});
    try {
      return await this.link.request(call, signal);
    } finally {
      over.abort();
    }
  }
}
