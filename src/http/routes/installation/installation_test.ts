import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { newBackup, newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { RELEASE } from "../../../domain/release.ts";
import { showInstallation } from "../../../services/installation/installation.ts";
import { registerReplica } from "../../../services/installation/replicas.ts";
import { readMigrations } from "../../../store/database/migrate.ts";
import { insertReplica } from "../../../store/installation/replicas.ts";

async function show({ admin }: TestApi) {
  const { body, status } = await admin.call("GET", "/api/installation");
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

Deno.test("an administrator sees the control planes, the queue, the database, the migrations and the keys", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const replica = randomUUID();
  await registerReplica(services, replica);
  const client = await api.user();
  const server = await newServer(client);
  await database`update remote_servers set connection_id = ${randomUUID()}, connection_replica_id = ${replica}`;
  const task = await newTask(client, { remote_server_id: server });
  const queued = new Date(clock.now().getTime() - 60_000);
  await newRun(database, task, clock.now(), { kind: "restore", state: "running" });
  await newRun(database, task, queued, { state: "queued" });
  await newRun(database, task, clock.now(), { kind: "drill", state: "queued" });
  const backup = await newBackup(database, task, clock.now());
  await database`update backups set removal_requested_at = ${clock.now()}, removal_reason = 'retention',
    next_removal_at = ${clock.now()} where id = ${backup}`;
  const { database: shown, loops, migrations, ...data } = await show(api);
  const now = `${clock.now().toISOString().slice(0, 19)}Z`;
  const [keyId] = services.keyring.keyIds;
  assert.deepEqual(data, {
    version: RELEASE,
    replicas: [{
      id: replica,
      name: null,
      version: RELEASE,
      is_this: false,
      is_alive: true,
      started_at: now,
      heartbeat_at: now,
      agents_count: 1,
      running_runs_count: 1,
      key_ids: [keyId],
      is_safe_to_stop: false,
      stop_note:
        "It is the only control plane: until it runs again, no run begins and this API does not answer. " +
        "Agents continue the runs that they work on.",
    }],
    problem: null,
    queue: {
      queued_runs_count: 2,
      oldest_queued_at: `${queued.toISOString().slice(0, 19)}Z`,
      running_runs_count: 1,
      waiting_notifications_count: 0,
      due_removals_count: 1,
    },
    keys: { current_id: keyId, ids: [keyId], rotation: null },
  });
  assert.deepEqual(loops, []);
  assert.match(shown.server_version, /^\d+\.\d+/);
  assert.ok(shown.size_bytes > 1_000_000);
  assert.match(shown.place, /^test_\w+ at \S+:\d+$/);
  const known = await readMigrations(new URL("../../../../migrations", import.meta.url));
  assert.deepEqual([migrations.applied_count, migrations.expected_count], [known.length, known.length]);
  assert.equal(migrations.newest, known.at(-1)!.name);
  await database`insert into key_rotations (new_key_id, started_at) values ('cccc0000', ${clock.now()})`;
  assert.deepEqual((await show(api)).keys.rotation, { new_key_id: "cccc0000", started_at: now });
  assert.equal((await client.call("GET", "/api/installation")).status, 403);
});

Deno.test("a control plane is safe to stop if another one runs with its keys and is not older", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const own = { id: randomUUID(), name: "one:8000", version: "0.2.0", keyIds: ["aaaa0000"] };
  const other = { id: randomUUID(), name: "two:8000", version: "0.2.0", keyIds: ["bbbb0000", "aaaa0000"] };
  await insertReplica(database, own, clock.now());
  await insertReplica(database, other, clock.now());
  const stops = async () => {
    const { replicas } = await showInstallation({ ...services, replica: own });
    return replicas.toSorted((a, b) => a.name! < b.name! ? -1 : 1).map((each) => [
      each.is_this,
      each.is_safe_to_stop,
      each.stop_note,
    ]);
  };
  const idle = "No agent is connected to it. Downloads that pass through it break.";
  const lacks = "No other control plane has all of its secret keys.";
  assert.deepEqual(await stops(), [[true, true, idle], [false, false, lacks]]);
  await database`update replicas set version = '0.3.0' where id = ${other.id}`;
  await database`update replicas set key_ids = '{bbbb0000,aaaa0000}' where id = ${own.id}`;
  assert.deepEqual((await stops())[1], [false, false, "The other control planes are of an older version."]);
  // A control plane of the previous version does not store its version.
  await database`update replicas set version = null where id = ${own.id}`;
  assert.equal((await stops())[1]![1], false);
  assert.equal((await stops())[0]![1], true);
  await database`update replicas set version = '0.3.0'`;
  const server = await newServer(api.admin);
  await database`update remote_servers set connection_id = ${own.id}, connection_replica_id = ${own.id} where id = ${server}`;
  assert.equal(
    (await stops())[0]![2],
    "Its agent connects to another control plane within seconds and continues its runs. " +
      "Downloads that pass through it break.",
  );
  await database`update replicas set heartbeat_at = ${new Date(
    clock.now().getTime() - 31_000,
  )} where id = ${other.id}`;
  assert.deepEqual((await stops()).map(([, isSafe]) => isSafe), [false, true]);
  assert.equal((await stops())[1]![2], "It does not run any more.");
});
