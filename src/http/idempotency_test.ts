import assert from "node:assert/strict";
import { testApi } from "../../tests/support/clients/api.ts";
import { createApp } from "./app.ts";

const key = (value: string) => ({ "Idempotency-Key": value });

Deno.test("a retry gets the first response again, and nothing is done twice", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const first = await call("POST", "/api/tags", { label: "x" }, key("a"));
  const again = await call("POST", "/api/tags", { label: "x" }, key("a"));
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal(first.headers.get("idempotency-replayed"), null);
  assert.equal((await call("GET", "/api/tags")).body.meta.total, 1);

  const other = await call("POST", "/api/tags", { label: "x" }, key("b"));
  assert.notEqual(other.body.data.id, first.body.data.id);
});

Deno.test("a refusal is replayed too", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  await call("POST", "/api/users", { name: "A", email: "a@example.com" });
  const body = { name: "B", email: "a@example.com" };
  const first = await call("POST", "/api/users", body, key("a"));
  await api.database`delete from users where email = 'a@example.com'`;
  const again = await call("POST", "/api/users", body, key("a"));
  assert.deepEqual([first.status, again.status, again.body], [422, 422, first.body]);
});

Deno.test("a key belongs to one token, one call and one day", async () => {
  await using api = await testApi();
  const user = await api.user();
  const { call } = user;
  await call("POST", "/api/tags", { label: "x" }, key("a"));
  for (
    const [path, body] of [["/api/tags", { label: "y" }], ["/api/notification-streams", {
      label: "x",
    }]] as const
  ) {
    const refused = await call("POST", path, body, key("a"));
    assert.deepEqual([refused.status, Object.keys(refused.body.errors)], [422, ["Idempotency-Key"]]);
  }
  const other = await api.tokenOf(user, ["manage-tags"]);
  assert.equal((await other.call("POST", "/api/tags", { label: "y" }, key("a"))).status, 201);
  await api.clock.advance(24 * 3_600_000 + 1);
  assert.equal((await call("POST", "/api/tags", { label: "y" }, key("a"))).status, 201);
});

Deno.test("an invalid key is refused", async () => {
  await using api = await testApi();
  for (const bad of ["x".repeat(256), "a b", "é"]) {
    const answer = await api.admin.call("POST", "/api/tags", { label: "x" }, key(bad));
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, ["Idempotency-Key"]], bad);
  }
});

Deno.test("of concurrent requests one is processed, the others get a conflict or its response", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => call("POST", "/api/tags", { label: "x" }, key("a"))),
  );
  for (const { status, body } of answers) {
    if (status !== 201) assert.match(body.message, /still in progress/);
  }
  assert.equal((await call("GET", "/api/tags")).body.meta.total, 1);
  assert.ok(answers.some(({ status }) => status === 201));
});

Deno.test("while the first request is processed, and after it was interrupted, a retry gets a conflict that says which", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  await call("POST", "/api/tags", { label: "x" }, key("a"));
  await api.database`update idempotency_keys set status = null, response = null`;
  const atWork = await call("POST", "/api/tags", { label: "x" }, key("a"));
  assert.equal(atWork.status, 409);
  assert.match(atWork.body.message, /still in progress/);
  await api.clock.advance(15 * 60_000);
  const cutOff = await call("POST", "/api/tags", { label: "x" }, key("a"));
  assert.equal(cutOff.status, 409);
  assert.match(cutOff.body.message, /was interrupted/);
});

Deno.test("a server error is not stored: the retry does the work", async () => {
  await using api = await testApi();
  const { token, call } = await api.user();
  await api.database`alter table tags rename to gone`;
  const app = createApp({ services: api.services });
  const init = {
    method: "POST",
    body: '{"label":"x"}',
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...key("a") },
  };
  assert.equal((await app.request("/api/tags", init)).status, 500);
  await api.database`alter table gone rename to tags`;
  assert.equal((await app.request("/api/tags", init)).status, 201);
  assert.equal((await call("GET", "/api/tags")).body.meta.total, 1);
});
