/**
 * One HTTP request of a WebDAV client, with node:http: Deno's fetch copies bodies before it sends them, and a
 * body that is streamed by it can't be watched for progress.
 */
import { Buffer } from "node:buffer";
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { trustedAuthorities } from "../../../../src/network/authorities.ts";
import { decodeContent } from "../../../../src/network/content_encoding.ts";
import { outgoing } from "../../outgoing.ts";
import { RunFailedError } from "../../ports.ts";
import { connectionFault } from "../connection_fault.ts";
import type { DavAnswer } from "./answers.ts";

/** Bytes that are passed to the socket at once. */
const SLICE = 256 * 1024;
/** Multiple of the silence limit for a whole answer: a peer might send a byte now and then for ever. */
const LONGEST_ANSWER = 30;
/** Bytes of an answer that are read, unless the caller wants more. */
const ANSWER_LIMIT = 64 * 1024;

/** No answer came. */
export class NoAnswerError extends Error {
  constructor(readonly reason: string, readonly isFinal: boolean) {
    super(reason);
  }
}

/** The answer is longer than the caller's limit. */
export class LongAnswerError extends RunFailedError {}

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  /** How long the connection may be silent, in milliseconds. */
  readonly idleMs: number;
  /** How long the server may work before it answers; default: `idleMs`. */
  readonly answerMs?: number;
  /** Limit of the answer, in bytes. Without it, a longer answer is cut off. */
  readonly limit?: number;
}

/** Connections that a destination keeps open. They use the proxy that the environment names, if any. */
export class Connections {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /** @param https Makes connections with TLS; default: with the permissions and the proxy of an agent. */
  constructor(https?: HttpsAgent) {
    const options = { ...outgoing, keepAlive: true };
    this.#http = new HttpAgent(options);
    this.#https = https ?? new HttpsAgent({ ...options, ca: trustedAuthorities() });
  }

  /** Sends a request with a body, and resolves with the answer. */
  async exchange(url: string, body: Uint8Array, options: ExchangeOptions): Promise<DavAnswer> {
    const headers = { ...options.headers, "content-length": String(body.length) };
    const exchange = this.start(url, { ...options, headers });
    await exchange.write(body);
    return await exchange.end();
  }

  /** Starts a request whose body is streamed. */
  start(url: string, options: ExchangeOptions): Exchange {
    options.signal.throwIfAborted();
    const isTls = url.startsWith("https:");
    const { method, headers } = options;
    const request = isTls
      ? httpsRequest(url, { method, headers, agent: this.#https })
      : httpRequest(url, { method, headers, agent: this.#http });
    return new Exchange(request, new URL(url), options);
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

export class Exchange {
  readonly #answer = Promise.withResolvers<DavAnswer>();
  /** Set once the server has answered or the connection has failed: no more is sent. */
  #isOver = false;
  #failure: Error | null = null;
  #silence: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wake = () => {};
  #response: Promise<DavAnswer> | null = null;
  #isSettled = false;
  readonly #abort = () => this.destroy();

  constructor(
    private readonly request: ClientRequest,
    private readonly url: URL,
    private readonly options: ExchangeOptions,
  ) {
    const { signal } = options;
    // The answer is awaited at the end of the body.
    this.#answer.promise.catch(() => {});
    signal.addEventListener("abort", this.#abort, { once: true });
    request.on("drain", () => this.#wake());
    request.on("error", (error: Error) => this.#failure ??= error);
    request.on("response", (response: IncomingMessage) => {
      this.#response = this.#read(response);
      this.#response.then(() => {
        // The server may not read the rest of the body, and would take it for the next request.
        if (request.writableFinished) this.#settle();
        else this.destroy();
      }, () => this.destroy());
      this.#stop();
    });
    request.on("close", () => this.#settle());
  }

  /** Whether the server has answered before the end of the body, or the connection is lost. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends bytes. Resolves early if the exchange is over: then `end` has the reason. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isOver; at += SLICE) {
      this.options.signal.throwIfAborted();
      if (this.request.write(bytes.subarray(at, at + SLICE))) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#limit(this.options.idleMs, "nothing moved");
      await promise;
      clearTimeout(this.#timer);
    }
  }

  /** Ends the body and resolves with the answer. */
  async end(): Promise<DavAnswer> {
    if (!this.#isOver) {
      const { answerMs = this.options.idleMs } = this.options;
      this.#limit(answerMs, "no answer came");
      this.request.end();
    }
    return await this.#answer.promise;
  }

  destroy(): void {
    this.request.destroy();
    this.request.socket?.destroy();
    // Deno emits no event for a connection that served another request before.
    this.#settle();
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { signal } = this.options;
    signal.removeEventListener("abort", this.#abort);
    clearTimeout(this.#timer);
    this.#stop();
    const outcome = signal.aborted
      ? Promise.reject(signal.reason)
      : this.#response ?? this.#loss().then((error) => Promise.reject(error));
    outcome.then(this.#answer.resolve, this.#answer.reject);
  }

  async #read(response: IncomingMessage): Promise<DavAnswer> {
    const { limit = ANSWER_LIMIT, idleMs } = this.options;
    clearTimeout(this.#timer);
    this.#limit(idleMs * LONGEST_ANSWER, "the answer did not end");
    response.setTimeout(idleMs, () => {
      this.#silence = `the answer stopped for ${idleMs / 1000} s`;
      this.destroy();
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response) {
        size += chunk.length;
        if (size > limit && this.options.limit !== undefined) {
          throw new LongAnswerError(
            `Cannot read the answer to ${this.options.method}: it is longer than ${limit} bytes. Check webdav_url.`,
          );
        }
        if (size <= limit) chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof LongAnswerError) throw error;
      throw new NoAnswerError(this.#silence ?? "the answer was cut off", false);
    } finally {
      clearTimeout(this.#timer);
    }
    const encoding = response.headers["content-encoding"] ?? null;
    return { status: response.statusCode!, headers: response.headers, body: textOf(chunks, encoding, limit) };
  }

  #limit(limitMs: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#silence = `${what} for ${limitMs / 1000} s`;
      this.destroy();
    }, limitMs);
  }

  #stop(): void {
    this.#isOver = true;
    this.#wake();
  }

  async #loss(): Promise<NoAnswerError> {
    if (this.#silence !== null) return new NoAnswerError(this.#silence, false);
    if (this.#failure === null) return new NoAnswerError("the connection was closed", false);
    const { reason, isFinal } = await connectionFault(this.#failure, this.url);
    return new NoAnswerError(reason, isFinal);
  }
}

function textOf(chunks: readonly Uint8Array[], encoding: string | null, limit: number): string {
  try {
    return new TextDecoder().decode(decodeContent(Buffer.concat(chunks), encoding, limit * 16));
  } catch {
    // The answer is cut off, or not compressed as it claims: only the status is known.
    return "";
  }
}
