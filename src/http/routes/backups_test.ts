import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/api.ts";
import { newBackup, newRun, newTask } from "../../../tests/support/records.ts";

Deno.test("backups are listed by task and in all, each with its objects", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const one = await newTask(client);
  const two = await newTask(client);
  const run = await newRun(api.database, one, now);
  const first = await newBackup(api.database, one, now, {
    run_id: run,
    encryption_password_encrypted: "sealed",
  });
  const second = await newBackup(api.database, two, now);
  const ids = async (path: string) =>
    (await client.call("GET", path)).body.data.map((each: { id: number }) => each.id);
  assert.deepEqual(await ids("/api/backups"), [first, second]);
  assert.deepEqual(await ids(`/api/backup-tasks/${two}/backups`), [second]);
  const { status, body } = await client.call("GET", `/api/backups/${first}`);
  assert.equal(status, 200);
  assert.doesNotMatch(JSON.stringify(body), /sealed/);
  const { backup_destination_id, remote_server_id, ...rest } = body.data;
  assert.ok(backup_destination_id > 0 && remote_server_id > 0);
  const sha256 = "0".repeat(64);
  assert.deepEqual(rest, {
    id: first,
    backup_task_id: one,
    backup_task_log_id: run,
    file_name: `backup_${one}.tar.zst`,
    directory: "/backups",
    size: 1000,
    sha256,
    engine: "tar",
    encrypted: false,
    bytes_read: 5000,
    files_count: 3,
    warnings_count: 1,
    duration_ms: 12,
    incompressible_share: null,
    suspicious_at: null,
    suspicion: null,
    status: "stored",
    removal_error: null,
    objects: [{ role: "archive", name: `backup_${one}.tar.zst`, size: 1000, sha256, database_name: null }],
    created_at: "2026-01-05T12:00:00Z",
    verified_at: null,
    proven_at: null,
  });
});

Deno.test("a deleted backup is marked, once, and listed until its objects are gone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const remove = () => client.call("DELETE", `/api/backups/${id}`);
  assert.deepEqual((await remove()).body, { message: "Backup successfully deleted" });
  const marked = async () => {
    const [row] = await api.database`
      select removal_reason, removal_requested_at, next_removal_at from backups where id = ${id}`;
    return row;
  };
  const before = await marked();
  assert.equal(before!.removal_reason, "request");
  await api.clock.advance(5000);
  assert.equal((await remove()).status, 200);
  assert.deepEqual(await marked(), before);
  await api.database`update backups set removal_error = 'The agent is not connected.' where id = ${id}`;
  const { status, removal_error } = (await client.call("GET", `/api/backups/${id}`)).body.data;
  assert.deepEqual([status, removal_error], ["deleting", "The agent is not connected."]);
});

Deno.test("deleting a backup needs its own ability", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const limited = await api.tokenOf(client, ["view-backup-tasks", "delete-backup-tasks"]);
  assert.equal((await limited.call("GET", `/api/backups/${id}`)).status, 200);
  assert.match((await limited.call("DELETE", `/api/backups/${id}`)).body.message, /delete-backups/);
});

Deno.test("restore, verify and file browsing are not there", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  for (const [method, verb] of [["POST", "restore"], ["POST", "verify"], ["GET", "files"]]) {
    assert.equal((await client.call(method!, `/api/backups/${id}/${verb}`)).status, 404);
  }
});
