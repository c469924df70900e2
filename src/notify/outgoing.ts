/**
 * Makes the requests to addresses that users entered. Such a request follows no redirects, has a time limit,
 * and reads only a limited part of the response.
 */
import { tlsReason } from "../domain/tls_fault.ts";
import type { Clock } from "../domain/clock.ts";
import { RELEASE } from "../domain/release.ts";
import { AddressRefusedError, type Network } from "../network/network.ts";
import { DeliveryError } from "./delivery_error.ts";

/** Time limit for connecting, sending and reading the response, in milliseconds. */
const TIMEOUT = 15_000;
/** A response is read up to this many bytes. */
const ANSWER_LIMIT = 16_384;

export interface OutgoingRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /**
   * Returns the receiver's reason for a refusal, to be added to the error; null if the response has none.
   * Must not return secrets.
   */
  explain?(answer: string): string | null;
}

export interface OutgoingPost extends OutgoingRequest {
  readonly body: unknown;
  /** Returns headers that depend on the body and on the time at which it is sent. */
  sign?(body: string, sentAt: Date): Readonly<Record<string, string>>;
}

export class Outgoing {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #timeoutMs: number;

  constructor(clock: Clock, network: Network, { timeoutMs = TIMEOUT }: { timeoutMs?: number } = {}) {
    this.#clock = clock;
    this.#network = network;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Posts JSON. Resolves once the receiver has accepted the message. Rejects with a {@link DeliveryError}.
   */
  async post({ body, sign, ...request }: OutgoingPost): Promise<void> {
    const text = JSON.stringify(body);
    const signature = sign?.(text, this.#clock.now()) ?? {};
    const headers = { "Content-Type": "application/json", ...request.headers, ...signature };
    await this.#request("POST", { ...request, headers }, text);
  }

  /**
   * Posts plain text. Resolves once the receiver has accepted the text. Rejects with a {@link DeliveryError}.
   */
  async postText({ text, ...request }: OutgoingRequest & { readonly text: string }): Promise<void> {
    const headers = { "Content-Type": "text/plain; charset=utf-8", ...request.headers };
    await this.#request("POST", { ...request, headers }, text);
  }

  /**
   * Gets a URL that contains the message as parameters. Resolves once the receiver has accepted the request.
   * Rejects with a {@link DeliveryError}.
   */
  async get(request: OutgoingRequest): Promise<void> {
    await this.#request("GET", request);
  }

  async #request(
    method: "GET" | "POST",
    { url, headers, signal, explain }: OutgoingRequest,
    body?: string,
  ): Promise<void> {
    const limit = AbortSignal.timeout(this.#timeoutMs);
    let response: Response;
    let answer = "";
    try {
      response = await this.#network.fetch(url, {
        method,
        headers: { "User-Agent": `Rearguard/${RELEASE}`, ...headers },
        body,
        signal: AbortSignal.any([signal, limit]),
      });
      // The message is accepted, so the rest of the response does not matter.
      if (response.ok || explain === undefined) await response.body?.cancel();
      // If reading the body fails, go on without the receiver's reason, because the status is enough.
      else answer = await readStart(response).catch(() => "");
    } catch (cause) {
      signal.throwIfAborted();
      // The new error gets no `cause`, because the message of the caught error would contain the address.
      throw new DeliveryError(
        limit.aborted
          ? `It did not answer within ${this.#timeoutMs / 1000} s`
          : describeConnectionError(cause),
      );
    }
    if (response.ok) return;
    throw new DeliveryError(
      describeRefusal(response.status, explain?.(answer) ?? null),
      this.#retryAfter(response),
    );
  }

  /**
   * Returns the delay in the header `Retry-After`, in milliseconds. Returns null if the header is missing or
   * unreadable, or if the status is neither 429 nor 503. The header contains a number of seconds or a date:
   * see RFC 9110, section 10.2.3. Discord sends fractions of seconds.
   */
  #retryAfter({ status, headers }: Response): number | null {
    const text = headers.get("retry-after")?.trim();
    if (text === undefined || (status !== 429 && status !== 503)) return null;
    if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
    const date = Date.parse(text);
    return Number.isNaN(date) ? null : Math.max(0, date - this.#clock.now().getTime());
  }
}

/** Reads at most {@link ANSWER_LIMIT} bytes of a response, then closes the connection. */
async function readStart({ body }: Response): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    if (size >= ANSWER_LIMIT) break;
  }
  return text.slice(0, ANSWER_LIMIT);
}

function describeRefusal(status: number, explanation: string | null): string {
  if (status >= 300 && status < 400) {
    return `It answered with a redirect (${status}), which is not followed: give the stream the address that it leads to`;
  }
  if (explanation !== null) return `It answered ${status}: ${explanation}`;
  if (status === 401 || status === 403 || status === 404 || status === 410) {
    return `It answered ${status}: check the stream's value, it may have been revoked`;
  }
  return status === 429 ? "It answered 429: too many messages" : `It answered ${status}`;
}

function describeConnectionError(cause: unknown): string {
  if (cause instanceof AddressRefusedError) return cause.message;
  const text = cause instanceof Error
    ? `${cause.message} ${(cause.cause as Error | undefined)?.message ?? ""}`
    : "";
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo/i.test(text)) return "Its host name can't be found";
  if (/refused/i.test(text)) return "It refused the connection";
  const tls = tlsReason(cause);
  if (tls !== null) return tls[0]!.toUpperCase() + tls.slice(1);
  if (/tls|handshake/i.test(text)) return "It does not speak TLS";
  if (/invalid url/i.test(text)) return "Its address is not a URL";
  return "The connection failed";
}
