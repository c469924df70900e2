/**
 * Makes every HTTP request to addresses that users enter. It checks the addresses in the same look-up that
 * the connection uses, so they can't change in between. It follows no redirect, keeps no connection and uses
 * no proxy.
 */
import { lookup } from "node:dns";
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressPolicy, SETTING } from "./address_policy.ts";
import { TlsAgent, withDates } from "./tls_agent.ts";

export interface NetworkRequest {
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Thrown when a host's address is refused. The message is one line, without the address. */
export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
  /** @param kind The kind of address, with its article: `a loopback`. */
  constructor(host: string, kind: string) {
    super(
      `${host} is at ${kind} address, which the control plane connects to only if its operator has allowed it ` +
        `by ${SETTING}`,
    );
  }
}

/** Resolves a name to all of its addresses, as `getaddrinfo` does. */
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
   * Throws an {@link AddressRefusedError} if the URL's host is a refused address or a name of this machine.
   * Looks nothing up.
   */
  check(url: URL): void {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
    const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
    const addresses = isAddress ? [host] : /(^|\.)localhost$/.test(host) ? ["127.0.0.1", "::1"] : [];
    const kinds = addresses.map((address) => this.#policy.refusedKind(address));
    if (kinds.length > 0 && !kinds.includes(null)) throw new AddressRefusedError(host, kinds[0]!);
  }

  /**
   * Works like the global `fetch`, but resolves with redirects too. Rejects with an {@link
   * AddressRefusedError}, the signal's reason or the connection's error. No error, and no cause of one,
   * contains the URL.
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
      // An AggregateError has one error for each address.
      const first = error instanceof AggregateError ? error.errors[0] ?? error : error;
      throw await withDates(first, url, this.#lookup as never);
    }
  }

  /** Called by `connect`, which tries only the addresses returned here. */
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

/** Statuses of responses without a body. */
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

/** Streams the body as fast as it is read. Cancelling closes the connection. */
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
