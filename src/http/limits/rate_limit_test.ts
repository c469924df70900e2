import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../web/pages.ts";

Deno.test("each token has its own limit per minute, shown in every response", async () => {
  await using api = await testApi({ rateLimitPerMinute: 3 });
  const { call } = await api.user(["manage-tags"]);
  const limitHeaders = ({ status, headers }: { status: number; headers: Headers }) => [
    status,
    headers.get("x-ratelimit-limit"),
    headers.get("x-ratelimit-remaining"),
  ];
  assert.deepEqual(limitHeaders(await call("GET", "/api/tags")), [200, "3", "2"]);
  await api.clock.advance(20_000);
  assert.deepEqual(limitHeaders(await call("GET", "/api/tags/x")), [404, "3", "1"]);
  assert.deepEqual(limitHeaders(await call("GET", "/api/users")), [403, "3", "0"]);

  const refused = await call("POST", "/api/tags", { label: "x" });
  assert.deepEqual(limitHeaders(refused), [429, "3", "0"]);
  assert.equal(refused.headers.get("retry-after"), "40");
  assert.equal(refused.headers.get("x-ratelimit-reset"), String(Date.parse("2026-01-05T12:01:00Z") / 1000));
  assert.deepEqual(refused.body, {
    error: "Too Many Requests",
    message: "Too many requests; try again in 40 seconds.",
  });
  assert.equal((await api.admin.call("GET", "/api/tags")).status, 200, "another token is not held up");

  await api.clock.advance(40_000);
  assert.deepEqual(limitHeaders(await call("GET", "/api/tags")), [200, "3", "2"]);
  assert.deepEqual((await call("GET", "/api/tags")).body.data, []);
});

Deno.test("without a limit there are no rate limit headers", async () => {
  await using api = await testApi({ rateLimitPerMinute: 0 });
  const { headers } = await api.admin.call("GET", "/api/tags");
  assert.equal(headers.get("x-ratelimit-limit"), null);
});

Deno.test("pages that renew themselves use nothing of the limit of their session", async () => {
  await using api = await testApi({ rateLimitPerMinute: 3, pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  for (let renewal = 0; renewal < 5; renewal++) {
    assert.equal((await browser.call("GET", "/", undefined, { "HX-Request": "true" })).status, 200);
  }
  const left = async () => (await browser.call("GET", "/api/tags")).headers.get("x-ratelimit-remaining");
  assert.deepEqual([await left(), await left(), await left()], ["2", "1", "0"]);
  assert.equal((await browser.call("GET", "/api/tags")).status, 429);
  assert.equal((await browser.call("GET", "/tags")).status, 200);
});
