/**
 * Which addresses the control plane connects to where a user says where to: public ones, and what its
 * operator allows.
 */
import ipaddr from "ipaddr.js";

type Address = ReturnType<typeof ipaddr.parse>;
type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/** The environment variable that allows more. */
export const SETTING = "ALLOW_PRIVATE_ADDRESSES";

/**
 * What `1` allows: a machine's own and its owner's networks, but nothing that speaks for the machine or to
 * many.
 */
const PRIVATE = new Set(["private", "uniqueLocal", "carrierGradeNat", "loopback"]);

/**
 * Where clouds hand a machine its credentials: Amazon and most others, Amazon by IPv6, Alibaba, Oracle.
 * Allowed only by their own name, not by a network around them.
 */
const METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"]
  .map((text) => ipaddr.parse(text).toNormalizedString());

/** IANA has given out no other IPv6 address as a public one. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");
/** RFC 6052: the last 32 bits are an IPv4 address. A network without IPv4 reaches all others by it. */
const NAT64 = ipaddr.parseCIDR("64:ff9b::/96");

const WORDS: Readonly<Record<string, string>> = {
  carrierGradeNat: "a shared (carrier-grade NAT)",
  linkLocal: "a link-local",
  loopback: "a loopback",
  metadata: "a cloud's metadata",
  multicast: "a multicast",
  private: "a private",
  uniqueLocal: "a private",
  unspecified: "an unspecified",
};

export class AddressPolicy {
  /** Public addresses alone. */
  static readonly publicOnly = new AddressPolicy(false, []);
  /** For what the operator names. */
  static readonly everything = new AddressPolicy(
    true,
    [
      ipaddr.parseCIDR("0.0.0.0/0"),
      ipaddr.parseCIDR("::/0"),
      ...METADATA.map(parseNetwork).map((each) => each!),
    ],
  );

  private constructor(
    private readonly allowsPrivate: boolean,
    private readonly allowed: readonly Cidr[],
  ) {}

  /**
   * `0`, `1`, or addresses and networks with commas: `10.1.0.0/16, fd12::/48, 127.0.0.1`. Null for anything
   * else.
   */
  static parse(text: string): AddressPolicy | null {
    if (["0", "false"].includes(text.toLowerCase())) return AddressPolicy.publicOnly;
    if (["1", "true"].includes(text.toLowerCase())) return new AddressPolicy(true, []);
    const networks = text.split(/[\s,]+/).filter((word) => word !== "").map(parseNetwork);
    if (networks.length === 0 || networks.includes(null)) return null;
    return new AddressPolicy(false, networks as Cidr[]);
  }

  /**
   * Which kind of address it is that may not be connected to, with its article: `a loopback`; null where it
   * may.
   */
  refused(text: string): string | null {
    if (!ipaddr.isValid(text)) return "an unreadable";
    // IPv4 in IPv6 (::ffff:0:0/96) is IPv4.
    const address = ipaddr.process(text);
    const inside = embedded(address);
    if (inside !== null) return this.refused(inside.toString());
    if (this.#isAllowed(address)) return null;
    const kind = kindOf(address);
    if (kind === "unicast" || (this.allowsPrivate && PRIVATE.has(kind))) return null;
    return WORDS[kind] ?? "a reserved";
  }

  #isAllowed(address: Address): boolean {
    const networks = this.allowed.filter((network) => isIn(address, network));
    return isMetadata(address)
      ? networks.some(([network, bits]) => bits === network.toByteArray().length * 8)
      : networks.length > 0;
  }
}

function kindOf(address: Address): string {
  if (isMetadata(address)) return "metadata";
  const range = address.range();
  if (range === "unicast" && address.kind() === "ipv6" && !isIn(address, GLOBAL_UNICAST)) return "reserved";
  return range;
}

function isMetadata(address: Address): boolean {
  return METADATA.includes(address.toNormalizedString());
}

function embedded(address: Address): Address | null {
  return isIn(address, NAT64) ? ipaddr.fromByteArray(address.toByteArray().slice(12)) : null;
}

function isIn(address: Address, [network, bits]: Cidr): boolean {
  return address.kind() === network.kind() && address.match([network, bits] as never);
}

/** Host bits may be set. IPv4 in four decimal parts alone: others are read in surprising ways. */
function parseNetwork(text: string): Cidr | null {
  const [host = ""] = text.split("/");
  const isReadable = host.includes(":")
    ? ipaddr.IPv6.isValid(host)
    : ipaddr.IPv4.isValidFourPartDecimal(host);
  if (!isReadable || host.includes("%")) return null;
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (host !== text) return null;
  const address = ipaddr.parse(text);
  return [address, address.toByteArray().length * 8] as Cidr;
}
