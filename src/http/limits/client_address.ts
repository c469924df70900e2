/**
 * Where a request comes from: the peer's address, or the one that trusted proxies tell in `X-Forwarded-For`.
 */
import { BlockList, isIP } from "node:net";

/** Addresses and `address/bits`, both families. */
export class TrustedProxies {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address, bits] = range.split("/");
      const family = isIP(address!) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) this.#list.addAddress(address!, family);
      else this.#list.addSubnet(address!, Number(bits), family);
    }
  }

  /**
   * Each proxy adds at the end whom it got the request from, and what is before that is the client's to
   * write: from the end on, the first address that is no trusted proxy is the client's.
   */
  clientOf(peer: string | null, forwardedFor: string | null): string | null {
    let client = peer === null ? null : plain(peer);
    if (client === null) return null;
    for (const each of (forwardedFor ?? "").split(",").reverse()) {
      if (!this.#trusts(client)) return client;
      const before = plain(each.trim());
      if (before === null) return client;
      client = before;
    }
    return client;
  }

  #trusts(address: string): boolean {
    return this.#list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

/** Without a port, brackets, a zone, or the IPv6 form of an IPv4 address; null for what is no address. */
function plain(text: string): string | null {
  const bare = (/^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text)
    .replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();
  return isIP(bare) === 0 ? null : bare;
}
