import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("an administrator creates a user and their first token, which gives access to the user's own account", async () => {
  await using api = await testApi();
  const created = await api.admin.call("POST", "/api/users", {
    name: "Ada Lovelace",
    email: "ada@example.com",
  });
  assert.equal(created.status, 201);
  const { id } = created.body.data;
  assert.equal(created.body.data.account_settings.is_admin, false);
  assert.deepEqual((await api.admin.call("GET", `/api/users/${id}`)).body, created.body);

  const issued = await api.admin.call("POST", `/api/users/${id}/tokens`, { name: "first" });
  assert.equal(issued.status, 201);
  assert.ok(!issued.body.data.abilities.includes("admin"));
  assert.ok(issued.body.data.abilities.includes("manage-tokens"));
  const own = await api.app.request("/api/user", {
    headers: { Authorization: `Bearer ${issued.body.data.token}` },
  });
  assert.equal((await own.json()).data.id, id);

  const refused = await api.admin.call("POST", `/api/users/${id}/tokens`, {
    name: "x",
    abilities: ["admin"],
  });
  assert.match(refused.body.errors["abilities.0"][0], /no administrator/);
});

Deno.test("only an administrator's token with the admin ability reaches the users", async () => {
  await using api = await testApi();
  const user = await api.user();
  const limited = await api.tokenOf(api.admin, ["manage-tags"]);
  for (const { call } of [user, limited]) {
    const refused = await call("GET", "/api/users");
    assert.deepEqual([refused.status, refused.body], [403, {
      error: "Forbidden",
      message: "This token lacks the admin ability.",
    }]);
  }
  const promoted = await api.admin.call("PUT", `/api/users/${user.userId}`, { is_admin: true });
  assert.equal(promoted.body.data.account_settings.is_admin, true);
  assert.equal((await user.call("GET", "/api/users")).status, 200);
  await api.admin.call("PUT", `/api/users/${user.userId}`, { is_admin: "0" });
  assert.equal((await user.call("GET", "/api/users")).status, 403);
});

Deno.test("an email address belongs to one user, ignoring case", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  await call("POST", "/api/users", { name: "A", email: "a@example.com" });
  const { id } = (await call("POST", "/api/users", { name: "B", email: "b@example.com" })).body.data;
  const taken = { email: ["The email has already been taken."] };
  assert.deepEqual(
    (await call("POST", "/api/users", { name: "C", email: "A@Example.com" })).body.errors,
    taken,
  );
  assert.deepEqual((await call("PUT", `/api/users/${id}`, { email: "a@example.com" })).body.errors, taken);
  assert.equal((await call("PUT", `/api/users/${id}`, { email: "B@example.com" })).status, 200);
  const bad = await call("POST", "/api/users", { name: "", email: "nobody" });
  assert.deepEqual(Object.keys(bad.body.errors), ["name", "email"]);
});

Deno.test("administrators can't delete or demote themselves, nor a user who still has records", async () => {
  await using api = await testApi();
  const { call, userId } = api.admin;
  assert.equal((await call("DELETE", `/api/users/${userId}`)).status, 409);
  assert.equal((await call("PUT", `/api/users/${userId}`, { is_admin: false })).status, 409);

  const user = await api.user();
  const now = api.clock.now();
  await api.database`
    insert into remote_servers (user_id, label, ip_address, created_at, updated_at)
    values (${user.userId}, 's', '192.0.2.1', ${now}, ${now})`;
  const kept = await call("DELETE", `/api/users/${user.userId}`);
  assert.deepEqual([kept.status, kept.body.message], [
    409,
    "Jo Doe still has 1 remote server; delete those first.",
  ]);
  await api.database`delete from remote_servers`;
  const deleted = await call("DELETE", `/api/users/${user.userId}`);
  assert.deepEqual([deleted.status, deleted.body], [200, {
    message: "User successfully deleted",
    deletes_at: "2026-01-08T12:00:00Z",
  }]);
  assert.equal((await user.call("GET", "/api/user")).status, 401);
});

Deno.test("two administrators who demote each other at once don't both succeed", async () => {
  await using api = await testApi();
  const other = await api.user();
  await api.admin.call("PUT", `/api/users/${other.userId}`, { is_admin: true });
  await Promise.all([
    api.admin.call("PUT", `/api/users/${other.userId}`, { is_admin: false }),
    other.call("PUT", `/api/users/${api.admin.userId}`, { is_admin: false }),
  ]);
  const [row] = await api.database`select count(*) as admins from users where is_admin`;
  assert.equal(row!.admins, 1);
});
