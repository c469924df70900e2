/**
 * Decides whether the control plane may connect to an address that a user entered. Public addresses are
 * always allowed. Other addresses are allowed only if the operator has configured them.
 */
import ipaddr from "ipaddr.js";

type Address = ReturnType<typeof ipaddr.parse>;
type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/** Environment variable with which the operator allows more addresses. */
export const SETTING = "ALLOW_PRIVATE_ADDRESSES";

/**
 * Ranges that are allowed if {@link SETTING} is `1`: loopback and private networks. Link-local and multicast
 * addresses are not among them.
 */
const PRIVATE = new Set(["private", "uniqueLocal", "carrierGradeNat", "loopback"]);

/**
 * Addresses at which clouds serve a machine's credentials. In order: Amazon's, also used by most other
 * clouds; Amazon's over IPv6; Alibaba's; Oracle's. Each is allowed only if the operator configures this exact
 * address. A configured network that contains it does not count.
 */
const METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"]
  .map((text) => ipaddr.parse(text).toNormalizedString());

/** The only IPv6 range from which IANA has assigned public addresses. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");
/**
 * Range of NAT64 addresses, see RFC 6052. The last 32 bits of such an address are the IPv4 address of the
 * real target. Hosts without IPv4 reach IPv4 targets in this way.
 */
const NAT64 = ipaddr.parseCIDR("64:ff9b::/96");

const KIND_NAMES: Readonly<Record<string, string>> = {
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
  /** A policy that allows public addresses only. */
  static readonly publicOnly = new AddressPolicy(false, []);
  /** A policy that allows every address, for hosts that the operator configures. */
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
   * Parses the setting: `0`, `1`, or a comma-separated list of addresses and networks, such as `10.1.0.0/16,
   * fd12::/48, 127.0.0.1`. Returns null for any other text.
   */
  static parse(text: string): AddressPolicy | null {
    if (["0", "false"].includes(text.toLowerCase())) return AddressPolicy.publicOnly;
    if (["1", "true"].includes(text.toLowerCase())) return new AddressPolicy(true, []);
    const networks = text.split(/[\s,]+/).filter((word) => word !== "").map(parseNetwork);
    if (networks.length === 0 || networks.includes(null)) return null;
    return new AddressPolicy(false, networks as Cidr[]);
  }

  /** Returns the type of a refused address, with its article (`a loopback`); null for an allowed address. */
  refusedKind(text: string): string | null {
    if (!ipaddr.isValid(text)) return "an unreadable";
    // An IPv4 address in IPv6 form (::ffff:0:0/96) counts as IPv4.
    const address = ipaddr.process(text);
    const inside = embeddedIpv4(address);
    if (inside !== null) return this.refusedKind(inside.toString());
    if (this.#isAllowed(address)) return null;
    const kind = kindOf(address);
    if (kind === "unicast" || (this.allowsPrivate && PRIVATE.has(kind))) return null;
    return KIND_NAMES[kind] ?? "a reserved";
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

function embeddedIpv4(address: Address): Address | null {
  return isIn(address, NAT64) ? ipaddr.fromByteArray(address.toByteArray().slice(12)) : null;
}

function isIn(address: Address, [network, bits]: Cidr): boolean {
  return address.kind() === network.kind() && address.match([network, bits] as never);
}

/**
 * Parses an address or a network. Returns null for any other text. Accepts a network whose host bits are set.
 * Accepts IPv4 only as four decimal parts, because other forms are ambiguous.
 */
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
