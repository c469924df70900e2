/**
 * Makes one HTTP request of a WebDAV client, with node:http. Deno's fetch is not used for two reasons: it
 * copies a body before sending it, and it does not report the progress of a streamed body.
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

/** Maximum number of bytes that are passed to the socket at once. */
const SLICE = 256 * 1024;
/**
 * Time limit of a whole response, as a multiple of `idleMs`. Without a limit, a server could send single
 * bytes forever.
 */
const LONGEST_ANSWER = 30;
/** Maximum number of bytes of a response that are kept, if the caller sets no limit. */
const ANSWER_LIMIT = 64 * 1024;

/** Error of a request to which the server did not respond. `isFinal` is true if a retry cannot help. */
export class NoAnswerError extends Error {
  constructor(readonly reason: string, readonly isFinal: boolean) {
    super(reason);
  }
}

/** Error of a request whose response is longer than the caller allows. */
export class LongAnswerError extends RunFailedError {}

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  /** Maximum time without progress on the connection, in milliseconds. */
  readonly idleMs: number;
  /**
   * Maximum time from the last byte of the request to the response, in milliseconds. If absent, `idleMs`
   * applies.
   */
  readonly answerMs?: number;
  /**
   * Maximum size of the response in bytes. A longer response is an error. If no limit is given, a long
   * response is cut off and is not an error.
   */
  readonly limit?: number;
}

/**
 * Connections that a destination keeps open between requests. If environment variables name a proxy, the
 * connections use it.
 */
export class Connections {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /**
   * @param https Node's agent for connections with TLS. By default, an agent that trusts
   *   {@link trustedAuthorities} and uses the proxy that environment variables name, if any.
   */
  constructor(https?: HttpsAgent) {
    const options = { ...outgoing, keepAlive: true };
    this.#http = new HttpAgent(options);
    this.#https = https ?? new HttpsAgent({ ...options, ca: trustedAuthorities() });
  }

  /** Sends a request with a body. Resolves with the response. */
  async exchange(url: string, body: Uint8Array, options: ExchangeOptions): Promise<DavAnswer> {
    const headers = { ...options.headers, "content-length": String(body.length) };
    const exchange = this.start(url, { ...options, headers });
    await exchange.write(body);
    return await exchange.end();
  }

  /** Starts a request and returns it. The caller writes the request's body. */
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
  /**
   * Whether the server has responded or the connection has failed. In both cases the rest of the body is not
   * sent.
   */
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
    // Without this handler, a failure would be an unhandled rejection until `end` awaits the response.
    this.#answer.promise.catch(() => {});
    signal.addEventListener("abort", this.#abort, { once: true });
    request.on("drain", () => this.#wake());
    request.on("error", (error: Error) => this.#failure ??= error);
    request.on("response", (response: IncomingMessage) => {
      this.#response = this.#read(response);
      this.#response.then(() => {
        // If the request's body was not sent completely, close the connection. On an open connection, the
        // server might take the rest of this body for the next request.
        if (request.writableFinished) this.#settle();
        else this.destroy();
      }, () => this.destroy());
      this.#stop();
    });
    request.on("close", () => this.#settle());
  }

  /** Whether the server has responded before the end of the body, or the connection has failed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Sends bytes of the body. Resolves early if the server has responded or the connection has failed. `end`
   * then returns the response or rejects with the reason.
   */
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

  /** Ends the body. Resolves with the response. */
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
    // Settle the promise here, because Deno emits no `close` event for a connection that was used before.
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
    // The response is cut off, or its compression is invalid. Only its status is known.
    return "";
  }
}
