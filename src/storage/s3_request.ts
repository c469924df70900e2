/**
 * Sends signed requests to one bucket. Each request has a time limit, and is retried if that is safe. Rejects
 * with `StorageError`s.
 */
import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../domain/clock.ts";
import { decodeContent } from "../network/content_encoding.ts";
import type { Network } from "../network/network.ts";
import {
  type AddressGuesses,
  addressGuesses,
  type BucketOptions,
  bucketUrl,
  objectUrl,
  regionOf,
} from "./s3_address.ts";
import { readRefusal, type Refusal, refusalError, unreachableError } from "./s3_errors.ts";
import { StorageError } from "./storage_error.ts";
import { type Element, parseXml, textOf } from "./xml.ts";

const TIMEOUT = 30_000;
const ATTEMPTS = 4;
const TIMEOUTS = 2;
const FIRST_BACKOFF = 250;
/** Maximum size of a response in bytes. A page of 1,000 keys of 1,024 bytes each, all escaped, is smaller. */
const BODY_LIMIT = 16 * 2 ** 20;

export interface S3Request {
  /** What the request does, as error messages say it, such as `delete the object a.tar.zst`. */
  readonly action: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The object's key; null for a request to the bucket itself. */
  readonly key: string | null;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Time limit for the whole response, in milliseconds. `idleMs` limits a pause in the response. */
  readonly timeoutMs?: number;
  readonly idleMs?: number;
  /**
   * False if a repetition could do harm. The request is then repeated only after a refusal, and not after a
   * lost response. Default: true.
   */
  readonly repeatable?: boolean;
}

interface Signable {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signQuery?: boolean;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export class S3Requests {
  readonly #base: URL;
  readonly #region: string;
  readonly #location: string;
  /** The parts of the bucket's address that were guessed and might be wrong. Error messages mention them. */
  readonly doubts: AddressGuesses;

  constructor(
    private readonly options: BucketOptions,
    private readonly network: Network,
    private readonly clock: Clock,
  ) {
    this.#base = bucketUrl(options);
    this.#region = regionOf(options);
    this.doubts = addressGuesses(options);
    this.#location = `bucket ${options.bucket} at ${this.#base.host}`;
  }

  /**
   * Sends a request, and resolves with the response if its status is 2xx. For any other status, rejects with
   * a `StorageError`.
   */
  send(request: S3Request): Promise<S3Answer> {
    return this.#retried(request, (answer) => answer);
  }

  /**
   * Sends a request, and resolves with the XML document of a response with status 2xx. Rejects with a
   * `StorageError` in these cases:
   * - The status is not 2xx.
   * - The document reports an error.
   * - The document's root is not `root`. This happens if a proxy responds with a page of its own.
   */
  document(request: S3Request, root: string): Promise<Element> {
    return this.#retried(request, (answer) => this.#parse(request.action, answer, root));
  }

  /** Returns the text of the child `name`. Throws a `StorageError` if the child is missing or empty. */
  required(action: string, element: Element, name: string): string {
    const text = textOf(element, name);
    if (text === null || text === "") throw this.malformed(action);
    return text;
  }

  async #retried<T>(request: S3Request, use: (answer: S3Answer) => T): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return use(await this.#sendOnce(request));
      } catch (error) {
        if (!(error instanceof StorageError) || !error.retryable || attempt === ATTEMPTS) throw error;
        // A server that does not answer gets fewer attempts than a server that answers "later".
        if (error.code === "Timeout" && attempt === TIMEOUTS) throw error;
        const answered = error.code !== "Network" && error.code !== "Timeout";
        if (!answered && request.repeatable === false) throw error;
        await this.clock.sleep(Math.random() * FIRST_BACKOFF * 2 ** attempt);
      }
    }
  }

  /** Returns a URL that permits this one operation until it expires. The URL is a credential. */
  async sign(method: "PUT" | "GET", key: string, query: Record<string, string>, expiresSeconds: number) {
    const url = this.#url(key, { ...query, "X-Amz-Expires": String(expiresSeconds) });
    const signed = await this.#signer({ method, url: url.href, signQuery: true }).sign();
    return signed.url.href;
  }

  /** Returns the error for a request that the service refused. */
  fail(action: string, refusal: Refusal): StorageError {
    return refusalError(`${action} in ${this.#location}`, refusal, this.doubts);
  }

  /** Returns the error for a response that is successful but not as S3 defines it. */
  malformed(action: string, cause?: unknown): StorageError {
    const text =
      `Cannot ${action} in ${this.#location}: the answer is not S3's. Check the destination's endpoint.`;
    return new StorageError(text, "Answer", false, { cause });
  }

  #parse(action: string, answer: S3Answer, root: string): Element {
    let document: Element;
    try {
      // Some services send white space in front of the document while they work.
      document = parseXml(answer.text.replace(/^\uFEFF?\s+/, ""));
    } catch (cause) {
      throw this.malformed(action, cause);
    }
    if (document.name === "Error") throw this.fail(action, readRefusal(500, answer.text, answer.headers));
    if (document.name !== root) throw this.malformed(action);
    return document;
  }

  async #sendOnce(request: S3Request): Promise<S3Answer> {
    const url = this.#url(request.key, request.query ?? {});
    const { method, body, headers } = request;
    const signed = await this.#signer({ method, url: url.href, body, headers }).sign();
    const { timeoutMs = TIMEOUT, idleMs = timeoutMs } = request;
    const silence = new AbortController();
    const expire = () => silence.abort(new DOMException("silent", "TimeoutError"));
    let timer = setTimeout(expire, idleMs);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(expire, idleMs);
    };
    const signal = AbortSignal.any([silence.signal, AbortSignal.timeout(timeoutMs)]);
    let answer: S3Answer;
    try {
      const { headers } = signed;
      const response = await this.network.fetch(signed.url.href, { method, headers, body, signal });
      answer = {
        status: response.status,
        headers: response.headers,
        text: await limitedText(response, heard),
      };
    } catch (error) {
      throw unreachableError(`${request.action} in ${this.#location}`, url.host, error, this.doubts);
    } finally {
      clearTimeout(timer);
    }
    // A successful response to PUT or DELETE has no body. If the body is an HTML page, a proxy has responded.
    const isPage = (method === "PUT" || method === "DELETE") && /^\s*<(?:!doctype )?html/i.test(answer.text);
    if (answer.status >= 200 && answer.status < 300 && !isPage) return answer;
    throw this.fail(request.action, readRefusal(answer.status, answer.text, answer.headers));
  }

  #signer(request: Signable): AwsV4Signer {
    return new AwsV4Signer({
      ...request,
      accessKeyId: this.options.accessKey,
      secretAccessKey: this.options.secretKey,
      region: this.#region,
      service: "s3",
      datetime: this.clock.now().toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
  }

  /**
   * Returns a request's URL. Encodes spaces in the query as `%20`, as the signature does, because not every
   * server accepts `+`.
   */
  #url(key: string | null, query: Record<string, string>): URL {
    const url = key === null ? new URL(this.#base) : objectUrl(this.#base, key);
    url.search = Object.entries(query)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
    return url;
  }
}

/** Returns whether the error is a refusal by the service itself, with one of these codes. */
export function isRefused(error: unknown, ...codes: string[]): error is StorageError {
  return error instanceof StorageError && codes.includes(error.code);
}

async function limitedText(response: Response, heard: () => void): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    heard();
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error(`the answer exceeds ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  return new TextDecoder().decode(decodeContent(bytes, response.headers.get("content-encoding"), BODY_LIMIT));
}
