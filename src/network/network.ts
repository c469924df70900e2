/**
 * Sends HTTP requests to addresses that users enter. Each connection looks up its host only once. It checks
 * the IP addresses from this lookup and connects to them. So they can't change between check and connection.
 * Follows no redirects, reuses no connections and uses no proxy.
 */
import { lookup } from "node:dns";
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressPolicy, SETTING } from "./address_policy.ts";
import { readValidity, TlsAgent, type Validity, withDates } from "./tls_agent.ts";

export interface NetworkRequest {
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Reports that a host's address is refused. The message is one line, and does not contain the address. */
export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
  /** @param kind The type of the address, with its article (`a loopback`). */
  constructor(host: string, kind: string) {
    super(
      `${host} is at ${kind} address, which the control plane connects to only if its operator has allowed it ` +
        `by ${SETTING}`,
    );
  }
}

/** Looks up a host name, and passes all its addresses to `done`. */
export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: { address: string; family: number }[]) => void,
) => void;

const systemResolve: Resolve = (hostname, done) => lookup(hostname, { all: true }, done);

export class Network {
  readonly #policy: AddressPolicy;
  readonly #resolve: Resolve;

  constructor(policy: AddressPolicy, resolve: Resolve = systemResolve) {
    this.#policy = policy;
    this.#resolve = resolve;
  }

  /**
   * Throws an {@link AddressRefusedError} if the URL's host is an address or a `localhost` name that the
   * policy refuses. Makes no DNS query.
   */
  check(url: URL): void {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
    const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
    const addresses = isAddress ? [host] : /(^|\.)localhost$/.test(host) ? ["127.0.0.1", "::1"] : [];
    const kinds = addresses.map((address) => this.#policy.refusedKind(address));
    if (kinds.length > 0 && !kinds.includes(null)) throw new AddressRefusedError(host, kinds[0]!);
  }

  /**
   * Sends a request. Works like the global `fetch`, but does not follow redirects. For a redirect, resolves
   * with the redirect's response. Rejects with an {@link AddressRefusedError}, the signal's reason or the
   * connection's error. These errors and their causes never contain the URL.
   */
  async fetch(address: string, init: NetworkRequest = {}): Promise<Response> {
    const { method = "GET", signal } = init;
    const body = init.body ?? (["POST", "PUT"].includes(method) ? "" : undefined);
    signal?.throwIfAborted();
    const url = URL.parse(address);
    if (url === null) throw new TypeError("invalid URL");
    if (url.protocol !== "https:" && url.protocol !== "http:") {
      throw new TypeError("the URL does not begin with http");
    }
    this.check(url);
    const headers = Object.fromEntries(new Headers(init.headers));
    if (body !== undefined) headers["content-length"] = String(new TextEncoder().encode(body).length);
    const agent = url.protocol === "https:" ? new TlsAgent() : false;
    const options: RequestOptions = { method, headers, agent, lookup: this.#lookup as never };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, resolve);
    const abort = () => request.destroy(new Error("aborted"));
    signal?.addEventListener("abort", abort, { once: true });
    const removeListener = () => signal?.removeEventListener("abort", abort);
    request.on("error", reject);
    request.on("close", () => {
      removeListener();
      reject(new Error("the connection was closed"));
    });
    request.end(body);
    try {
      return toResponse(method, await promise, signal);
    } catch (error) {
      signal?.throwIfAborted();
      // If `connect` has tried several addresses, the error is an AggregateError with one error for each
      // address.
      const first = error instanceof AggregateError ? error.errors[0] ?? error : error;
      throw await withDates(first, url, this.#lookup as never);
    }
  }

  /**
   * Connects to an https server and returns the period for which its certificate is valid. Accepts a
   * certificate from any authority. Sends no data. Returns null if the policy refuses the address, or if the
   * server does not answer in time.
   */
  async certificateValidity(url: URL): Promise<Validity | null> {
    try {
      this.check(url);
    } catch (error) {
      if (!(error instanceof AddressRefusedError)) throw error;
      return null;
    }
    return await readValidity(url, this.#lookup as never);
  }

  /**
   * Looks up a host for `connect`. `connect` tries only the addresses that this function passes to `done`.
   */
  #lookup = (
    hostname: string,
    options: { all?: boolean },
    done: (error: Error | null, address?: unknown, family?: number) => void,
  ): void => {
    this.#resolve(hostname, (error, addresses) => {
      if (error !== null) return done(error);
      const checked = addresses.map((each) => ({ ...each, kind: this.#policy.refusedKind(each.address) }));
      const allowed = checked.filter(({ kind }) => kind === null);
      const [first] = allowed;
      if (first === undefined) return done(new AddressRefusedError(hostname, checked[0]?.kind ?? "no"));
      if (options.all === true) done(null, allowed.map(({ address, family }) => ({ address, family })));
      else done(null, first.address, first.family);
    });
  };
}

/** Statuses whose responses have no body. */
const BODILESS = new Set([101, 204, 205, 304]);

function toResponse(method: string, incoming: IncomingMessage, signal: AbortSignal | undefined): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at]!, incoming.rawHeaders[at + 1]!);
  }
  if (status < 200 || status > 599) {
    incoming.destroy();
    throw new Error(`the response has the status ${status}`);
  }
  if (method === "HEAD" || BODILESS.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(streamBody(incoming, signal), { status, headers });
}

/**
 * Returns the body as a stream. The body is read only as fast as the stream's consumer reads. Cancelling the
 * stream closes the connection.
 */
function streamBody(incoming: IncomingMessage, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        incoming.destroy();
        signal?.throwIfAborted();
        throw error;
      }
    },
    cancel() {
      incoming.destroy();
    },
  }, { highWaterMark: 0 });
}
