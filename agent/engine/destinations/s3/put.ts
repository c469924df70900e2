/**
 * Sends one part by PUT with node:http, because Deno's fetch has two faults. First, fetch copies a body twice
 * before sending it. Two concurrent parts of 16 MiB would then take 250 MB of memory instead of 85 MB, at
 * half the speed. Second, fetch sends a streamed body without the Content-Length that S3 requires.
 */
import { Buffer } from "node:buffer";
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { trustedAuthorities } from "../../../../src/network/authorities.ts";
import { decodeContent } from "../../../../src/network/content_encoding.ts";
import { outgoing } from "../../outgoing.ts";
import { connectionFault } from "../connection_fault.ts";
import { readRefusal, REFUSAL_LIMIT } from "./answers.ts";

/** Maximum number of bytes that are passed to the socket at once. */
const SLICE = 256 * 1024;
export type PutOutcome =
  | { kind: "stored"; etag: string }
  | { kind: "refused"; status: number; code: string; message: string; isForeign: boolean }
  /**
   * Outcome of an attempt without a response. `reason` is one line without the URL, because the URL is a
   * credential. `isFinal` is true if a retry does not help. `isUnanswered` is true if a time limit passed
   * after the last byte was sent.
   */
  | { kind: "lost"; reason: string; isFinal: boolean; isUnanswered?: boolean };

/** Time limits of one attempt to send a part, in milliseconds. */
export interface PutLimits {
  /** Maximum silence while bytes of the body remain to be sent. */
  readonly idleMs: number;
  /**
   * Maximum silence after the last byte was sent. That byte might still be in a buffer of this machine or of
   * a proxy.
   */
  readonly answerMs: number;
  /**
   * Limit for the whole request. The limits on silence are not enough, because a peer might accept single
   * bytes for ever.
   */
  readonly totalMs: number;
}

/** Connections that one upload keeps open. They use the proxy that the environment variables name, if any. */
export class PutConnections {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor() {
    const options = { ...outgoing, keepAlive: true };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent({ ...options, ca: trustedAuthorities() });
  }

  /**
   * Sends `body`. Resolves with the outcome once nothing reads `body` any more. Rejects only with the
   * signal's reason.
   */
  put(
    url: string,
    { body, md5 }: { body: Uint8Array; md5: string },
    { idleMs, answerMs, totalMs }: PutLimits,
    signal: AbortSignal,
  ): Promise<PutOutcome> {
    signal.throwIfAborted();
    const isTls = url.startsWith("https:");
    const { promise, resolve, reject } = Promise.withResolvers<PutOutcome>();
    const options = {
      method: "PUT",
      agent: isTls ? this.#https : this.#http,
      headers: { "content-length": body.length, "content-md5": md5 },
    };
    const request = isTls ? httpsRequest(url, options) : httpRequest(url, options);
    let lost: PutOutcome & { kind: "lost" } = {
      kind: "lost",
      reason: "the connection was closed",
      isFinal: false,
    };
    let limit = idleMs;
    let isIdle = false;
    let answer: Promise<PutOutcome> | null = null;
    const abort = () => request.destroy();
    signal.addEventListener("abort", abort, { once: true });
    const giveUp = () => {
      isIdle = true;
      request.destroy();
    };
    request.setTimeout(idleMs, giveUp);
    const total = setTimeout(() => {
      limit = totalMs;
      giveUp();
    }, totalMs);
    request.on("finish", () => request.setTimeout(limit = answerMs));
    let failure: Error | null = null;
    request.on("error", (error) => failure = error);
    request.on("response", (response) => {
      answer = readOutcome(response).then((outcome) => {
        // Close the connection. A server that refuses a part might not have read all of it. The server would
        // then take the unread rest of the part for the next request.
        if (outcome.kind !== "stored" || !request.writableFinished) request.socket?.destroy();
        return outcome;
      });
    });
    request.on("close", async () => {
      clearTimeout(total);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) return reject(signal.reason);
      if (isIdle) {
        const isUnanswered = request.writableFinished;
        const what = limit === totalMs ? "it did not end" : isUnanswered ? "no answer came" : "nothing moved";
        lost = { kind: "lost", reason: `${what} for ${limit / 1000} s`, isFinal: false, isUnanswered };
      } else if (failure !== null && answer === null) {
        lost = { kind: "lost", ...await connectionFault(failure, new URL(url)) };
      }
      resolve(await answer ?? lost);
    });
    send(request, body);
    return promise;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/** Writes the body as fast as the socket accepts it. Writing faster would queue the bytes in memory. */
function send(request: ReturnType<typeof httpRequest>, body: Uint8Array): void {
  let at = 0;
  const push = () => {
    while (at < body.length && !request.destroyed) {
      const isTaken = request.write(body.subarray(at, at + SLICE));
      at += SLICE;
      if (!isTaken) return void request.once("drain", push);
    }
    request.end();
  };
  push();
}

async function readOutcome(response: IncomingMessage): Promise<PutOutcome> {
  const status = response.statusCode!;
  const isSuccess = status >= 200 && status < 300;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      if (size < REFUSAL_LIMIT) chunks.push(chunk);
      size += chunk.length;
    }
  } catch {
    if (isSuccess) return { kind: "lost", reason: "the answer was cut off", isFinal: false };
  }
  const { etag } = response.headers;
  if (isSuccess && etag) return { kind: "stored", etag };
  const refusal = readRefusal(status, textOf(chunks, response.headers["content-encoding"] ?? null));
  return { kind: "refused", status, ...refusal, code: refusal.code ?? `HTTP ${status}` };
}

function textOf(chunks: readonly Uint8Array[], encoding: string | null): string {
  try {
    return new TextDecoder().decode(decodeContent(Buffer.concat(chunks), encoding, REFUSAL_LIMIT * 16));
  } catch {
    // The response is cut off, or its compression is invalid. Only its status is known.
    return "";
  }
}
