/**
 * Finds the client's address. This is the peer's address or, behind trusted proxies, the address that they
 * report in `X-Forwarded-For`.
 */
import { BlockList, isIP } from "node:net";

/** The addresses of trusted proxies, for IPv4 and IPv6: single addresses, and networks as `address/bits`. */
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
   * Returns the client's address. Each proxy appends the address from which it got the request to the header
   * `X-Forwarded-For`. The client can send this header too, so the beginning of the header can be false. The
   * client's address is therefore the last address that is not a trusted proxy's.
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

/**
 * Normalises an address: removes port, brackets and zone, and converts the IPv6 form of an IPv4 address to
 * IPv4. Returns null for invalid text.
 */
function plain(text: string): string | null {
  const bare = (/^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text)
    .replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();
  return isIP(bare) === 0 ? null : bare;
}
