/** Sends the requests to the OpenID Connect provider. Limits their time, and the size of the responses. */
import { AddressPolicy } from "../../../network/address_policy.ts";
import { limitedBytes } from "../../../network/limited_bytes.ts";
import { Network } from "../../../network/network.ts";

/** Maximum size of a response, in bytes. */
const MAX_ANSWER = 262_144;

/**
 * Reports that a request got no usable response: the connection failed, or the response took too long or was
 * too large. This class extends `TypeError`, because the client library would wrap an error that is no
 * `TypeError`.
 */
export class UnreachableError extends TypeError {
  override readonly name = "UnreachableError";
}

interface ProviderRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null;
}

/**
 * Returns a function that works like `fetch`, but does not follow redirects. URLs of the issuer's own origin
 * are allowed to have any address, because the operator configured the issuer. All other URLs come from the
 * provider. They must be https, and their addresses must comply with the rules for addresses that users
 * enter.
 */
export function providerFetch(
  issuer: string,
  network: Network,
): (url: string, request: ProviderRequest) => Promise<Response> {
  const { origin } = new URL(issuer);
  const own = new Network(AddressPolicy.everything);
  const request = async (url: string, { method, headers, body, signal }: ProviderRequest) => {
    const target = new URL(url);
    const isOwn = target.origin === origin;
    if (!isOwn && target.protocol !== "https:") throw new Error("it names an address without https");
    const response = await (isOwn ? own : network).fetch(url, {
      method,
      headers,
      body: body === undefined || body === null ? undefined : String(body),
      signal: signal ?? undefined,
    });
    const bytes = await limitedBytes(response, MAX_ANSWER) as BodyInit | null;
    const kept = new Headers(response.headers);
    for (const name of ["content-encoding", "content-length"]) kept.delete(name);
    return new Response(bytes, { status: response.status, headers: kept });
  };
  return (url, init) =>
    request(url, init).catch((cause) => {
      throw new UnreachableError(cause instanceof Error ? cause.message : String(cause), { cause });
    });
}
