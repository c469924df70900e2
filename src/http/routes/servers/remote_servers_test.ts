import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("a server is created, shown, changed, listed and deleted, its password never shown", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  const created = await call("POST", "/api/remote-servers", {
    label: "web",
    ip_address: "2001:db8::1",
    username: "root",
    port: "2222",
    database_password: "s3cret",
  });
  assert.equal(created.status, 201);
  const server = created.body.data;
  assert.deepEqual(server, {
    id: server.id,
    user_id: userId,
    label: "web",
    connection: { ip_address: "2001:db8::1", username: "root", port: 2222, is_database_password_set: true },
    status: { connectivity: "unknown", last_connected_at: null },
    agent: null,
    duplicate_agent: null,
    runs_at_once: 1,
    class: "always_on",
    offline_alert_after: null,
    unprotected_count: null,
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });
  const changed = await call("PUT", `/api/remote-servers/${server.id}`, {
    label: "db",
    database_password: null,
  });
  assert.deepEqual([changed.body.data.label, changed.body.data.connection], ["db", {
    ...server.connection,
    is_database_password_set: false,
  }]);
  assert.deepEqual((await call("GET", "/api/remote-servers")).body.data, [changed.body.data]);
  assert.deepEqual((await call("DELETE", `/api/remote-servers/${server.id}`)).body, {
    message: "Remote server successfully deleted",
  });
  assert.deepEqual((await call("GET", `/api/remote-servers/${server.id}`)).body, {
    error: "Not Found",
    message: "Remote server not found",
  });
});

Deno.test("an owner's servers have different addresses and ports", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const fields = { label: "a", ip_address: "db.example.com", port: 22 };
  const first = await newServer(owner, fields);
  const taken = await owner.call("POST", "/api/remote-servers", fields);
  assert.equal(taken.status, 422);
  assert.deepEqual(taken.body.errors, { ip_address: ["The ip address has already been taken."] });
  const second = await newServer(owner, { ...fields, port: 23 });
  assert.equal((await owner.call("PUT", `/api/remote-servers/${second}`, { port: 22 })).status, 422);
  assert.equal(
    (await owner.call("PUT", `/api/remote-servers/${first}`, { ...fields, label: "b" })).status,
    200,
  );
  await newServer(other, fields);
});

Deno.test("of two servers created at once with the same address, one is created", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const fields = { label: "a", ip_address: "192.0.2.1" };
  const answers = await Promise.all([1, 2, 3, 4].map(() => call("POST", "/api/remote-servers", fields)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 422, 422, 422]);
});

Deno.test("every invalid field of a server is reported", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const empty = await call("POST", "/api/remote-servers", {});
  assert.deepEqual(Object.keys(empty.body.errors), ["label", "ip_address"]);
  const fields = { label: "x", ip_address: "a b", port: 70000, username: "a\nb", runs_at_once: 0 };
  const answer = await call("POST", "/api/remote-servers", fields);
  assert.deepEqual(Object.keys(answer.body.errors).sort(), [
    "ip_address",
    "port",
    "runs_at_once",
    "username",
  ]);
  for (const ip_address of ["1.2.3", "1.2.3.400", "host_-", "::g", "-a.example", "http://a", "a/b", ""]) {
    const answer = await call("POST", "/api/remote-servers", { label: "x", ip_address });
    assert.deepEqual([ip_address, answer.status], [ip_address, 422]);
  }
});

Deno.test("a server with tasks or active runs is not deleted, and the error says how many", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const one = await newTask(client, { remote_server_id: id });
  const two = await newTask(client, { remote_server_id: id });
  const remove = () => client.call("DELETE", `/api/remote-servers/${id}`);
  const refused = await remove();
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /used by 2 backup tasks\. /);
  const elsewhere = await newServer(client);
  const run = await newRun(api.database, one, api.clock.now(), { state: "running" });
  for (const task of [one, two]) {
    await client.call("PUT", `/api/backup-tasks/${task}`, { remote_server_id: elsewhere });
  }
  assert.match((await remove()).body.message, /works on 1 run\. /);
  await api.database`delete from runs where id = ${run}`;
  assert.equal((await remove()).status, 200);
});

Deno.test("a server is connected while its agent is connected to a live replica", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newServer(client);
  const status = async () => (await client.call("GET", `/api/remote-servers/${id}`)).body.data.status;
  const replica = randomUUID();
  const now = api.clock.now();
  await api.database`insert into replicas (id, started_at, heartbeat_at) values (${replica}, ${now}, ${now})`;
  await api.database`
    update remote_servers set connection_id = ${randomUUID()}, connection_replica_id = ${replica},
      last_connected_at = ${now}
    where id = ${id}`;
  assert.deepEqual(await status(), { connectivity: "connected", last_connected_at: "2026-01-05T12:00:00Z" });
  await api.clock.advance(30_000);
  assert.equal((await status()).connectivity, "connected");
  await api.clock.advance(1);
  assert.equal((await status()).connectivity, "disconnected");
});
