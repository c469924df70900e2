/** Bytes from the agent to a download at the control plane, by one HTTP request each. */
import { STREAM_SIZE_HEADER } from "../src/protocol/browsing.ts";
import type { Clock } from "../src/domain/clock.ts";
import { RunFailedError } from "./engine/ports.ts";

/** With several control planes behind one address, the request has to find the one that waits. Milliseconds. */
const TRIES = 16;
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;

export interface StreamOptions {
  /** The control plane's address. */
  readonly url: string;
  /** The agent's. */
  readonly key: string;
  readonly clock: Clock;
}

/** Resolves when the last byte was taken; rejects with a `RunFailedError` when the download is over before. */
export async function sendStream(
  { url, key, clock }: StreamOptions,
  stream: string,
  size: number,
  bytes: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1;; tries++) {
    const status = await post(
      `${url.replace(/\/+$/, "")}/api/agent/streams/${stream}`,
      key,
      size,
      bytes(),
      signal,
    );
    if (status === 200) return;
    if (status !== 421) throw new RunFailedError(`the control plane answers ${status}`);
    if (tries === TRIES) {
      throw new RunFailedError(
        `of ${TRIES} requests none came to the control plane that waits for the bytes. What stands before several control planes ` +
          "has to spread an agent's connections over all of them",
      );
    }
    await clock.sleep(Math.min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT), signal);
  }
}

async function post(
  url: string,
  key: string,
  size: number,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const iterator = bytes[Symbol.asyncIterator]();
  let failure: unknown = null;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        // A source may use its buffer again.
        else controller.enqueue(value.slice());
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
  }, { highWaterMark: 0 });
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        // The next try on the same connection would come to the same control plane.
        connection: "close",
        "content-type": "application/octet-stream",
        [STREAM_SIZE_HEADER]: String(size),
      },
      body,
      signal,
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    signal.throwIfAborted();
    if (failure !== null) throw failure;
    throw new RunFailedError("the download was left, or the control plane can't be reached", {
      cause: error,
    });
  } finally {
    await iterator.return?.().then(undefined, () => {});
  }
}
