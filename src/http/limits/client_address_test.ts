import assert from "node:assert/strict";
import { TrustedProxies } from "./client_address.ts";

Deno.test("without trusted proxies X-Forwarded-For is ignored", () => {
  const none = new TrustedProxies([]);
  assert.equal(none.clientOf("203.0.113.9", "198.51.100.1"), "203.0.113.9");
  assert.equal(none.clientOf("127.0.0.1", "198.51.100.1"), "127.0.0.1");
  assert.equal(none.clientOf(null, "198.51.100.1"), null);
});

Deno.test("behind trusted proxies the last address that is not a proxy counts", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
  assert.equal(proxies.clientOf("10.1.2.3", "198.51.100.1"), "198.51.100.1");
  assert.equal(proxies.clientOf("::ffff:10.1.2.3", "6.6.6.6, 198.51.100.1, fd00::5"), "198.51.100.1");
  assert.equal(proxies.clientOf("192.0.2.7", "[2001:DB8::1]:4711"), "2001:db8::1");
  assert.equal(proxies.clientOf("192.0.2.7", "198.51.100.1:4711"), "198.51.100.1");
  // The peer is not a trusted proxy, so its header is ignored.
  assert.equal(proxies.clientOf("203.0.113.9", "10.0.0.1"), "203.0.113.9");
  // If the header is absent, or if the address in it is invalid, the peer's address counts.
  assert.equal(proxies.clientOf("10.1.2.3", null), "10.1.2.3");
  assert.equal(proxies.clientOf("10.1.2.3", "198.51.100.1, unknown"), "10.1.2.3");
  assert.equal(proxies.clientOf("10.1.2.3", "10.9.9.9"), "10.9.9.9");
});
