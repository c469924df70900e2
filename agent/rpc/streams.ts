/** Sends the bytes of a download to the control plane. Each attempt is one HTTP request. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { STREAM_SIZE_HEADER } from "../../src/protocol/browsing.ts";
import type { Clock } from "../../src/domain/clock.ts";
import { trustedAuthorities } from "../../src/network/authorities.ts";
import { outgoing } from "../engine/outgoing.ts";
import { RunFailedError } from "../engine/ports.ts";
import type { BytesToSend } from "../engine/jobs/send.ts";

/**
 * `TRIES` is the maximum number of attempts. `FIRST_WAIT` and `LONGEST_WAIT` are the minimum and maximum time
 * between two attempts, in milliseconds. If several control planes share one address, a request might reach
 * any of them. Only one of them waits for the bytes. The others respond with 421.
 */
const TRIES = 16;
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;

export interface StreamOptions {
  /** The control plane's URL. */
  readonly url: string;
  /** The agent's key. */
  readonly key: string;
  readonly clock: Clock;
}

/**
 * Sends the bytes of a download. Resolves when the control plane has received the last byte. Rejects with a
 * `RunFailedError` if the download ends earlier.
 */
export async function sendStream(
  { url, key, clock }: StreamOptions,
  stream: string,
  content: BytesToSend,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(`${url.replace(/\/+$/, "")}/api/agent/streams/${stream}`);
  for (let tries = 1;; tries++) {
    const status = await post(target, key, content, signal);
    if (status === 200) return;
    if (status !== 421) throw new RunFailedError(`the control plane responds with ${status}`);
    if (tries === TRIES) {
      throw new RunFailedError(
        `none of ${TRIES} requests reached the control plane that waits for the bytes. A load balancer in front of several ` +
          "control planes must distribute an agent's connections over all of them",
      );
    }
    await clock.sleep(Math.min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT), signal);
  }
}

async function post(url: URL, key: string, content: BytesToSend, signal: AbortSignal): Promise<number> {
  const request = await open(url, key, content, signal);
  let status: number | null = null;
  const answer = new Promise<number>((resolve, reject) => {
    request.on("error", reject);
    request.once("response", (response: IncomingMessage) => {
      response.resume();
      resolve(status = response.statusCode!);
    });
  });
  // Prevents an unhandled rejection: the awaits below receive the error.
  answer.catch(() => {});
  try {
    for await (const chunk of content.bytes()) {
      signal.throwIfAborted();
      // Copy the chunk, because the source may reuse its buffer.
      if (!request.write(chunk.slice())) await Promise.race([drained(request), answer]);
      if (status !== null) return status;
    }
    request.end();
    return await answer;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RunFailedError) throw error;
    throw new RunFailedError("the client left the download, or the control plane can't be reached", {
      cause: error,
    });
  } finally {
    // If a response came early, the rest of the request is not needed.
    request.destroy();
  }
}

/**
 * Opens and returns the request. Does not use `fetch`, because it would send a stream without a content
 * length. The content length lets the control plane detect a truncated stream and read with backpressure.
 */
async function open(url: URL, key: string, { size, length }: BytesToSend, signal: AbortSignal) {
  const isTls = url.protocol === "https:";
  const { request, Agent } = isTls ? await import("node:https") : await import("node:http");
  // Use a new connection for each attempt: on the same connection, a retry would reach the same control
  // plane.
  const options = { ...outgoing, keepAlive: false };
  return request(url, {
    method: "POST",
    agent: new Agent(isTls ? { ...options, ca: trustedAuthorities() } : options),
    signal,
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/octet-stream",
      "content-length": String(length),
      [STREAM_SIZE_HEADER]: String(size),
    },
  });
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => request.once("drain", resolve));
}
