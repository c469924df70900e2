import assert from "node:assert/strict";
import { AddressPolicy } from "./address_policy.ts";

/**
 * Addresses that the policy must refuse, each with the words for the address's type. There is at least one
 * address from each special range in IANA's registries, and one in every notation.
 */
const REFUSED: Readonly<Record<string, string>> = {
  "0.0.0.0": "an unspecified",
  "0.1.2.3": "an unspecified",
  "10.0.0.1": "a private",
  "100.64.0.1": "a shared (carrier-grade NAT)",
  "100.100.100.200": "a cloud's metadata",
  "127.0.0.1": "a loopback",
  "127.255.255.254": "a loopback",
  "169.254.0.1": "a link-local",
  "169.254.169.254": "a cloud's metadata",
  "172.16.0.1": "a private",
  "172.31.255.255": "a private",
  "192.0.0.1": "a reserved",
  "192.0.0.192": "a cloud's metadata",
  "192.0.2.1": "a reserved",
  "192.88.99.1": "a reserved",
  "192.168.255.255": "a private",
  "198.18.0.1": "a reserved",
  "198.51.100.1": "a reserved",
  "203.0.113.1": "a reserved",
  "224.0.0.1": "a multicast",
  "239.255.255.250": "a multicast",
  "240.0.0.1": "a reserved",
  "255.255.255.255": "a reserved",
  "::": "an unspecified",
  "::1": "a loopback",
  "::ffff:127.0.0.1": "a loopback",
  "::ffff:a9fe:a9fe": "a cloud's metadata",
  "::ffff:10.0.0.1": "a private",
  "::7f00:1": "a reserved",
  "::ffff:0:7f00:1": "a reserved",
  "64:ff9b::7f00:1": "a loopback",
  "64:ff9b::169.254.169.254": "a cloud's metadata",
  "64:ff9b::a00:1": "a private",
  "64:ff9b:1::7f00:1": "a reserved",
  "64:ff9b:1::808:808": "a reserved",
  "100::1": "a reserved",
  "2001::1": "a reserved",
  "2001:db8::1": "a reserved",
  "2002:7f00:1::": "a reserved",
  "3fff::1": "a reserved",
  "4000::1": "a reserved",
  "fc00::1": "a private",
  "fd00:ec2::254": "a cloud's metadata",
  "fd12:3456::1": "a private",
  "fe80::1": "a link-local",
  "fe80::1%eth0": "a link-local",
  "fec0::1": "a reserved",
  "ff02::1": "a multicast",
  "nonsense": "an unreadable",
};
const PUBLIC = [
  "1.1.1.1",
  "9.255.255.255",
  "100.63.255.255",
  "100.128.0.1",
  "172.32.0.1",
  "192.167.255.255",
  "::ffff:1.1.1.1",
  "64:ff9b::101:101",
  "2606:4700::1111",
  "2a01:4f8::1",
];

Deno.test("only public addresses are allowed by default", () => {
  for (const [address, kind] of Object.entries(REFUSED)) {
    assert.equal(AddressPolicy.publicOnly.refusedKind(address), kind, address);
  }
  for (const address of PUBLIC) assert.equal(AddressPolicy.publicOnly.refusedKind(address), null, address);
});

Deno.test("1 allows private and loopback addresses, but no link-local or multicast ones", () => {
  const policy = AddressPolicy.parse("1")!;
  const allowed = Object.keys(REFUSED).filter((address) => policy.refusedKind(address) === null);
  assert.deepEqual(allowed, [
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.255.255",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "fc00::1",
    "fd12:3456::1",
  ]);
});

Deno.test("a list allows the addresses that it names; a metadata address only by its exact address", () => {
  const refused = (setting: string, address: string) => AddressPolicy.parse(setting)!.refusedKind(address);
  assert.equal(refused("10.1.0.0/16", "10.1.255.255"), null);
  assert.equal(refused("10.1.0.0/16", "::ffff:10.1.0.1"), null);
  assert.equal(refused("10.1.0.0/16", "10.2.0.1"), "a private");
  assert.equal(refused("10.1.0.0/16", "127.0.0.1"), "a loopback");
  assert.equal(refused("10.1.2.3, fd12::/16", "10.1.2.3"), null);
  assert.equal(refused("10.1.2.3 fd12::/16", "fd12::1"), null);
  assert.equal(refused("10.1.2.3", "10.1.2.4"), "a private");
  assert.equal(refused("0.0.0.0/0", "169.254.0.1"), null);
  assert.equal(refused("0.0.0.0/0,::/0", "169.254.169.254"), "a cloud's metadata");
  assert.equal(refused("0.0.0.0/0,::/0", "64:ff9b::a9fe:a9fe"), "a cloud's metadata");
  assert.equal(refused("fd00::/8", "fd00:ec2::254"), "a cloud's metadata");
  assert.equal(refused("169.254.169.254", "169.254.169.254"), null);
  assert.equal(refused("fd00:ec2::254/128", "fd00:ec2::254"), null);
  assert.equal(refused("0", "10.0.0.1"), "a private");
  assert.equal(AddressPolicy.everything.refusedKind("169.254.169.254"), null);
});

Deno.test("a text that is not a list of addresses is refused as a whole", () => {
  for (
    const text of [
      "10.1",
      "10.1.0.0/33",
      "10.0.0.1/",
      "yes",
      "a.example.com",
      ",",
      "0x7f.0.0.1",
      "fe80::1%eth0",
      "10.0.0.1,x",
    ]
  ) {
    assert.equal(AddressPolicy.parse(text), null, text);
  }
});
