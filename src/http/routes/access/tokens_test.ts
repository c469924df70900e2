import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { issueToken } from "../../../services/access/tokens.ts";

Deno.test("a token's text is shown once, at its creation, and only its hash is stored", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const created = await call("POST", "/api/tokens", {
    name: "report",
    abilities: ["manage-tags", "manage-tags"],
    expires_at: "2026-02-01T01:00:00+01:00",
  });
  assert.equal(created.status, 201);
  const { token, ...shown } = created.body.data;
  assert.match(token, /^rg_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([shown.abilities, shown.expires_at], [["manage-tags"], "2026-02-01T00:00:00Z"]);
  assert.deepEqual((await call("GET", `/api/tokens/${shown.id}`)).body.data, shown);
  assert.ok(!JSON.stringify((await call("GET", "/api/tokens")).body).includes(token));
  const [row] = await api.database`select token_hash from tokens where id = ${shown.id}`;
  assert.match(row!.token_hash, /^[0-9a-f]{64}$/);
});

Deno.test("a deleted token is unknown from the next call on, an expired one from its time on", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const make = async () =>
    (await call("POST", "/api/tokens", {
      name: "short",
      abilities: ["manage-tags"],
      expires_at: "2026-01-05T12:01:00Z",
    })).body.data;
  const status = async (token: string) =>
    (await api.app.request("/api/tags", { headers: { Authorization: `Bearer ${token}` } })).status;
  const [first, second] = [await make(), await make()];
  assert.deepEqual([await status(first.token), await status(second.token)], [200, 200]);

  const deleted = await call("DELETE", `/api/tokens/${first.id}`);
  assert.deepEqual(deleted.body, { message: "Token successfully deleted" });
  assert.deepEqual([await status(first.token), await status(second.token)], [401, 200]);
  assert.equal((await call("GET", `/api/tokens/${first.id}`)).status, 404);
  assert.equal((await call("DELETE", `/api/tokens/${first.id}`)).status, 404);

  await api.clock.advance(60_000);
  assert.equal(await status(second.token), 401);
});

Deno.test("a token gives no ability that it lacks, neither to a new token nor to a known one", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const limited = await api.tokenOf(owner, ["manage-tokens", "manage-tags"]);
  const request = { name: "more", abilities: ["manage-tags", "delete-backups"] };
  const refused = await limited.call("POST", "/api/tokens", request);
  assert.equal(refused.status, 422);
  assert.deepEqual(refused.body.errors, {
    "abilities.1": ["This token lacks the delete-backups ability and so can't give it."],
  });
  const { id } =
    (await limited.call("POST", "/api/tokens", { name: "same", abilities: ["manage-tags"] })).body.data;
  assert.equal(
    (await limited.call("PUT", `/api/tokens/${id}`, { abilities: ["delete-backups"] })).status,
    422,
  );
  const admin = await owner.call("POST", "/api/tokens", { name: "admin", abilities: ["admin"] });
  assert.equal(admin.status, 422, "a user who is no administrator can't have the admin ability");
});

Deno.test("a token's name, abilities and end can be changed; a time in the past is refused", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const { id } = (await call("POST", "/api/tokens", { name: "a", abilities: ["manage-tags"] })).body.data;
  const changed = await call("PUT", `/api/tokens/${id}`, {
    name: "b",
    abilities: ["view-backup-tasks"],
    expires_at: "2027-01-01T00:00:00Z",
  });
  assert.equal(changed.status, 200);
  const { name, abilities, expires_at } = changed.body.data;
  assert.deepEqual([name, abilities, expires_at], ["b", ["view-backup-tasks"], "2027-01-01T00:00:00Z"]);
  for (const bad of ["2026-01-05T12:00:00Z", "tomorrow", "2026-13-01T00:00:00Z"]) {
    const refused = await call("PUT", `/api/tokens/${id}`, { expires_at: bad });
    assert.deepEqual([refused.status, Object.keys(refused.body.errors)], [422, ["expires_at"]], bad);
  }
  assert.equal((await call("PUT", `/api/tokens/${id}`, { expires_at: null })).body.data.expires_at, null);
});

Deno.test("a use is recorded, at most once a minute", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const lastUsed = async () => (await call("GET", "/api/tokens")).body.data[0].last_used_at;
  assert.equal(await lastUsed(), "2026-01-05T12:00:00Z");
  await api.clock.advance(59_000);
  assert.equal(await lastUsed(), "2026-01-05T12:00:00Z");
  await api.clock.advance(1_000);
  assert.equal(await lastUsed(), "2026-01-05T12:01:00Z");
});

Deno.test("a retried creation does not show the token again", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const body = { name: "once", abilities: ["manage-tags"] };
  const key = { "Idempotency-Key": "k1" };
  assert.equal((await call("POST", "/api/tokens", body, key)).status, 201);
  const again = await call("POST", "/api/tokens", body, key);
  assert.equal(again.status, 409);
  assert.match(again.body.message, /shown only once/);
  const [stored] = await api.database`select response from idempotency_keys`;
  assert.equal(stored!.response, null);
});

Deno.test("the last valid token with the admin ability is neither deleted nor weakened", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const [{ id }] = (await call("GET", "/api/tokens")).body.data;
  const path = `/api/tokens/${id}`;
  // Two other tokens have the ability but do not count: one is not an administrator's, and one has expired.
  await api.user();
  const other = await call("POST", "/api/tokens", {
    name: "short",
    abilities: ["admin", "manage-tokens"],
    expires_at: "2026-01-05T12:01:00Z",
  });
  await api.clock.advance(60_000);
  for (const [method, body] of [["DELETE", undefined], ["PUT", { abilities: ["manage-tokens"] }]] as const) {
    const refused = await call(method, path, body);
    assert.equal(refused.status, 409, method);
    assert.match(refused.body.message, /last token with the admin ability.* Make another one first/);
  }
  assert.equal((await call("PUT", path, { name: "renamed" })).status, 200);
  assert.equal((await call("DELETE", `/api/tokens/${other.body.data.id}`)).status, 200);
  await call("POST", "/api/tokens", { name: "next", abilities: ["admin"] });
  assert.equal((await call("DELETE", path)).status, 200);
});

Deno.test("the last admin tokens must not expire within a day", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const [{ id }] = (await call("GET", "/api/tokens")).body.data;
  const inAnHour = "2026-01-05T13:00:00Z";
  const short = { name: "short", abilities: ["admin", "manage-tokens"], expires_at: inAnHour };
  assert.equal((await call("POST", "/api/tokens", short)).status, 201);
  for (
    const [method, body] of [
      ["DELETE", undefined],
      ["PUT", { expires_at: inAnHour }],
      ["PUT", { abilities: ["manage-tokens"] }],
    ] as const
  ) {
    const refused = await call(method, `/api/tokens/${id}`, body);
    assert.equal(refused.status, 409, method);
    assert.match(
      refused.body.message,
      /no token with the admin ability after 2026-01-05T13:00:00Z.* lasts longer/,
    );
  }
  assert.equal((await call("PUT", `/api/tokens/${id}`, { expires_at: "2026-04-05T12:00:00Z" })).status, 200);
  assert.equal((await call("PUT", `/api/tokens/${id}`, { name: "renamed" })).status, 200);
});

Deno.test("an administrator whose token expires soon can't remove the one who has a lasting token", async () => {
  await using api = await testApi();
  const other = await api.user(["manage-tags"]);
  await api.admin.call("PUT", `/api/users/${other.userId}`, { is_admin: true });
  const short = { name: "short", abilities: ["admin"], expires_at: "2026-01-05T13:00:00Z" };
  const { plain } = await issueToken(api.services, {
    userId: other.userId,
    name: short.name,
    abilities: ["admin"],
    expiresAt: new Date(short.expires_at),
  });
  const headers = { Authorization: `Bearer ${plain}`, "Content-Type": "application/json" };
  const call = (method: string, body?: string) =>
    api.app.request(`/api/users/${api.admin.userId}`, { method, headers, body });
  for (const response of [await call("DELETE"), await call("PUT", '{"is_admin":false}')]) {
    assert.equal(response.status, 409);
    assert.match((await response.json()).message, /after 2026-01-05T13:00:00Z/);
  }
});
