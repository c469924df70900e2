import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";

const BAD = `rg_${"x".repeat(43)}`;

Deno.test("failed authentications are throttled by address, for any token and endpoint", async () => {
  await using api = await testApi({ authFailuresPerMinute: 9 });
  const ask = (path: string, token: string, remoteAddress: string, method = "GET") =>
    api.app.request(path, { method, headers: { Authorization: `Bearer ${token}` } }, { remoteAddress });
  const agent = JSON.stringify({ agent: { version: "1", hostname: "h", os: "l", arch: "x", tools: {} } });
  const enrol = (token: string, remoteAddress: string) =>
    api.app.request("/api/agent/enrol", {
      method: "POST",
      body: agent,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    }, { remoteAddress });
  // An address is allowed nine failures. With tokens that have the same beginning, it is allowed only three.
  // After these three, requests from the address with such a token are refused. Its requests with other
  // tokens are still admitted.
  for (let time = 0; time < 3; time++) assert.equal((await ask("/api/tags", BAD, "192.0.2.1")).status, 401);
  const refused = await ask("/api/tags", BAD, "192.0.2.1");
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "60");
  assert.deepEqual(await refused.json(), {
    error: "Too Many Requests",
    message: "Too many failed authentications; try again in 60 seconds.",
  });
  assert.equal((await ask("/api/tags", api.admin.token, "192.0.2.1")).status, 200);
  // Invalid enrolment tokens and agent keys count as well.
  for (let number = 0; number < 3; number++) {
    assert.equal((await enrol(`rge_${number}${"x".repeat(42)}`, "192.0.2.1")).status, 401);
    const path = "/api/agent/export?run_id=1&attempt=1";
    assert.equal((await ask(path, `rga_${number}${"x".repeat(42)}`, "192.0.2.1")).status, 401);
  }
  assert.equal((await enrol(`rge_new${"x".repeat(42)}`, "192.0.2.1")).status, 429);
  const fresh = (await api.user()).token;
  assert.equal((await ask("/api/tags", fresh, "192.0.2.1")).status, 429);
  // Recently valid tokens from this address, and any token from another address, are admitted.
  assert.equal((await ask("/api/tags", api.admin.token, "192.0.2.1")).status, 200);
  assert.equal((await ask("/api/tags", fresh, "192.0.2.2")).status, 200);
  assert.equal((await ask("/healthz", BAD, "192.0.2.1")).status, 200);
  await api.clock.advance(60_000);
  assert.equal((await ask("/api/tags", fresh, "192.0.2.1")).status, 200);
  // The audit log has no throttled requests, because their tokens were not checked.
  const log = await api.admin.call("GET", "/api/audit-log?result=refused&per_page=100");
  assert.equal(log.body.meta.total, 9);
});
