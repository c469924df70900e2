/** Makes requests to a WebDAV server: logs in, retries, and explains errors. */
import { Buffer } from "node:buffer";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { WebdavDestination as Spec } from "../../../../src/definitions/destinations/webdav.ts";
import { Backoff } from "../../../backoff.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import type { DestinationLimits } from "../limits.ts";
import { type DavAnswer, explain } from "./answers.ts";
import { Connections, type Exchange, NoAnswerError } from "./exchange.ts";
import { type DavEntry, parseEntries, PROPERTIES } from "./properties.ts";

const FIRST_BACKOFF = 500;
const LONGEST_BACKOFF = 15_000;
/**
 * Limits for requests that clean up after the run, in milliseconds: time without progress on a connection,
 * and total time of all retries.
 */
const CLEANUP_IDLE = 10_000;
const CLEANUP_PATIENCE = 30_000;
/** Maximum size of a directory listing in bytes. It is enough for some 100,000 files. */
const LIST_LIMIT = 64 * 2 ** 20;
const NOTHING = new Uint8Array(0);

export interface ClientPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly output: Pick<Output, "line"> | null;
  readonly limits: DestinationLimits;
}

export interface DavRequest {
  /** The action of the request, for the error message: `Cannot <action>: …`. */
  readonly action: string;
  readonly method: string;
  readonly url: string;
  /** Statuses of the response that count as success. */
  readonly expected: readonly number[];
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  readonly limit?: number;
  /** Maximum time from the end of the request to the response, as a multiple of `idleMs`; 1 if absent. */
  readonly patience?: number;
}

/** Error of a request that was not successful, after all retries. */
export class DavError extends RunFailedError {
  /** @param status Status of the response; null if there was no response. */
  constructor(message: string, readonly status: number | null) {
    super(message);
  }
}

export class DavClient {
  /** Host and port of the server, for error messages. */
  readonly server: string;
  readonly #base: URL;
  readonly #authorization: string;

  constructor(
    private readonly spec: Spec,
    readonly ports: ClientPorts,
    private readonly connections: Connections = new Connections(),
  ) {
    this.#base = new URL(spec.url);
    this.server = this.#base.host;
    this.#authorization = `Basic ${Buffer.from(`${spec.username}:${spec.password}`).toString("base64")}`;
  }

  /** The URL that the user has set, without a trailing slash. */
  get base(): string {
    return this.#base.href.replace(/\/+$/, "");
  }

  /** HTTP header with the user name and the password. */
  get login(): { authorization: string } {
    return { authorization: this.#authorization };
  }

  /**
   * Returns a client for work that cleans up. The client works even if the run was cancelled, and has shorter
   * time limits.
   */
  forCleanup(): DavClient {
    const { limits } = this.ports;
    return new DavClient(this.spec, {
      ...this.ports,
      signal: new AbortController().signal,
      limits: {
        idleMs: Math.min(limits.idleMs, CLEANUP_IDLE),
        patienceMs: Math.min(limits.patienceMs, CLEANUP_PATIENCE),
      },
    }, this.connections);
  }

  /**
   * Sends a request and returns the response. Retries if a retry might help, until `limits.patienceMs` is
   * over. Rejects with a {@link DavError} if the last attempt fails.
   */
  async request(request: DavRequest): Promise<DavAnswer> {
    const { clock, signal, output, limits } = this.ports;
    const backoff = new Backoff(FIRST_BACKOFF, LONGEST_BACKOFF);
    const started = clock.monotonic();
    for (let tries = 1;; tries++) {
      const failure = await this.attempt(request);
      if (!(failure instanceof Failure)) return failure;
      signal.throwIfAborted();
      const error = failure.toError(request.action);
      if (!failure.waits || clock.monotonic() - started >= limits.patienceMs) throw error;
      if (tries === 1) {
        const minutes = Math.ceil(limits.patienceMs / 60_000);
        // Print only the first sentence. The second sentence is advice for a run that has failed.
        output?.line(`${error.message.split(". ")[0]}. Trying again for up to ${minutes} min`);
      }
      await clock.sleep(backoff.next(), signal);
    }
  }

  /** Sends a request once. Returns the response, or a {@link Failure} if the attempt failed. */
  async attempt({ method, url, headers, body, expected, limit, patience }: DavRequest) {
    const { signal, limits: { idleMs } } = this.ports;
    try {
      const answer = await this.connections.exchange(url, body ?? NOTHING, {
        method,
        headers: { ...this.login, "accept-encoding": "identity", ...headers },
        signal,
        idleMs,
        answerMs: idleMs * (patience ?? 1),
        ...limit === undefined ? {} : { limit },
      });
      return expected.includes(answer.status) ? answer : Failure.of(answer);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NoAnswerError)) throw error;
      return new Failure(error.reason, !error.isFinal, null);
    }
  }

  /** Starts a PUT request and returns it. The caller writes the request's body. */
  startPut(url: string, answerMs: number): Exchange {
    const { signal, limits: { idleMs } } = this.ports;
    const headers = { ...this.login, "content-type": "application/octet-stream" };
    return this.connections.start(url, { method: "PUT", headers, signal, idleMs, answerMs });
  }

  /** Returns the entries that PROPFIND lists for a URL; null if the URL does not exist. */
  async list(action: string, url: string, depth: 0 | 1, limit = LIST_LIMIT): Promise<DavEntry[] | null> {
    const answer = await this.request({
      action,
      method: "PROPFIND",
      url,
      headers: { depth: String(depth), "content-type": "application/xml; charset=utf-8" },
      body: new TextEncoder().encode(PROPERTIES),
      expected: [207, 404],
      limit,
    });
    if (answer.status === 404) return null;
    try {
      const entries = parseEntries(answer.body);
      if (entries.length > 0) return entries;
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    }
    throw new DavError(
      `Cannot ${action}: the server's list of properties can't be read. Check webdav_url, and what stands before ` +
        "the server.",
      answer.status,
    );
  }

  /** Returns the entry of the file or directory at a URL; null if nothing exists there. */
  async look(action: string, url: string): Promise<DavEntry | null> {
    return (await this.list(action, url, 0))?.[0] ?? null;
  }

  close(): void {
    this.connections.close();
  }
}

/**
 * The failure of one attempt to send a request. `waits` is true if a later attempt might succeed. `status` is
 * null if there was no response.
 */
export class Failure {
  constructor(readonly reason: string, readonly waits: boolean, readonly status: number | null) {}

  static of(answer: DavAnswer): Failure {
    const { reason, waits } = explain(answer);
    return new Failure(reason, waits, answer.status);
  }

  toError(action: string): DavError {
    return new DavError(`Cannot ${action}: ${this.reason.replace(/\.$/, "")}.`, this.status);
  }
}
