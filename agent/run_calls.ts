/** What a run asks of the control plane, over the link: until it is answered, with what was asked for or with why not. */
import type { Clock } from "../src/domain/clock.ts";
import { activeSpan, traceparentOf } from "../src/telemetry/tracing.ts";
import { Backoff } from "./backoff.ts";
import type { Call, CallAnswer } from "./calls.ts";
import { RunFailedError } from "./engine/ports.ts";

/** Tries of a call that the control plane answers with "later". */
const TRIES = 10;

export interface CallLink {
  call(message: Call, signal: AbortSignal): Promise<CallAnswer>;
}

export class RunCalls {
  constructor(private readonly link: CallLink, private readonly clock: Clock) {}

  /** Rejects with a `RunFailedError` where it is refused for good, or with the signal's reason. */
  async ask<T extends CallAnswer["type"]>(
    call: Call,
    expected: T,
    signal: AbortSignal,
  ): Promise<Extract<CallAnswer, { type: T }>> {
    const traceparent = traceparentOf(activeSpan());
    const backoff = new Backoff(500, 30_000);
    for (let tries = 1;; tries++) {
      const answer = await this.link.call({ ...call, traceparent }, signal);
      if (answer.type === expected) return answer as Extract<CallAnswer, { type: T }>;
      if (answer.type !== "upload.refused" && answer.type !== "download.refused") {
        throw new RunFailedError(
          `Cannot go on: the control plane answered ${call.type} with ${answer.type}`,
        );
      }
      if (!answer.retryable || tries === TRIES) throw new RunFailedError(answer.message);
      await this.clock.sleep(backoff.next(), signal);
    }
  }
}
