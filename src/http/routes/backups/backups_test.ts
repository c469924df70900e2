import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("backups are listed by task and in all, each with its objects", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const one = await newTask(client);
  const two = await newTask(client);
  const run = await newRun(api.database, one, now);
  const first = await newBackup(api.database, one, now, {
    run_id: run,
    encrypted: true,
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
    backup_task: { id: one, label: "Home" },
    backup_task_log_id: run,
    backup_destination: { id: backup_destination_id, label: "disk" },
    remote_server: { id: remote_server_id, label: "web" },
    original_directory: null,
    previous_size: null,
    file_name: `backup_${one}.tar.zst`,
    directory: "/backups",
    size: 1000,
    sha256,
    engine: "tar",
    source_label: "files",
    is_listed: false,
    restore_fields: ["target_path", "paths"],
    restore_refusal: null,
    encrypted: true,
    encryption: "password",
    encryption_recipients: [],
    bytes_read: 5000,
    files_count: 3,
    outcome: "warnings",
    warnings_count: 1,
    duration_ms: 12,
    incompressible_share: null,
    deletes_at: null,
    hold_ends_at: null,
    suspicious_at: null,
    suspicion: null,
    findings: [],
    incomplete: false,
    missing: [],
    unreadable_count: 0,
    status: "stored",
    removal_error: null,
    removal_attempts: 0,
    held: false,
    hold_reason: null,
    damaged_at: null,
    damage_reason: null,
    objects: [{ role: "archive", name: `backup_${one}.tar.zst`, size: 1000, sha256, database_name: null }],
    created_at: "2026-01-05T12:00:00Z",
    verified_at: null,
    proven_at: null,
    drill_duration_ms: null,
  });
});

Deno.test("a backup has the size of the one before it, and the directory that its files came from", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const task = await newTask(client);
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const source = { type: "files", kind: "directory", path: "/var/www/" };
  const old = await newBackup(api.database, task, at(0), { size: 700, source });
  await newBackup(api.database, await newTask(client), at(1), { size: 9 });
  const file = await newBackup(api.database, task, at(2), {
    source: { ...source, kind: "file", path: "/etc/hosts" },
  });
  const inRoot = await newBackup(api.database, task, at(3), { source: { ...source, path: "/" } });
  const shown = async (id: number) => {
    const { original_directory, previous_size } = (await client.call("GET", `/api/backups/${id}`)).body.data;
    return [original_directory, previous_size];
  };
  assert.deepEqual(await shown(old), ["/var/www", null]);
  assert.deepEqual(await shown(file), ["/etc", 700]);
  assert.deepEqual(await shown(inRoot), ["/", 1000]);
});

Deno.test("a deleted backup is marked, once, and listed until its objects are gone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const remove = () => client.call("DELETE", `/api/backups/${id}`);
  assert.deepEqual((await remove()).body, {
    message: "Backup successfully deleted",
    deletes_at: "2026-01-08T12:00:00Z",
  });
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
  await api.database`
    update backups set removal_error = 'The agent is not connected.', removal_attempts = 3 where id = ${id}`;
  const { status, removal_error, removal_attempts } =
    (await client.call("GET", `/api/backups/${id}`)).body.data;
  assert.deepEqual([status, removal_error, removal_attempts], ["deleting", "The agent is not connected.", 3]);
});

Deno.test("backups are listed by status, including those that could not be deleted", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const [task, other] = [await newTask(client), await newTask(client)];
  const mark = { removal_requested_at: now, removal_reason: "request", next_removal_at: now };
  const damage = { damaged_at: now, damage_reason: "The archive's SHA-256 is another." };
  const ids = {
    stored: await newBackup(api.database, task, now),
    deleting: await newBackup(api.database, task, now, { ...mark, ...damage }),
    damaged: await newBackup(api.database, task, now, damage),
    held: await newBackup(api.database, task, now, { held_at: now }),
  };
  const elsewhere = await newBackup(api.database, other, now);
  const list = async (path: string) => {
    const { body } = await client.call("GET", path);
    assert.equal(body.meta.total, body.data.length);
    return body.data.map(({ id, status, held }: Record<string, unknown>) => [id, status, held]);
  };
  const stored = [[ids.stored, "stored", false], [ids.held, "stored", true]];
  assert.deepEqual(await list(`/api/backup-tasks/${task}/backups?status=stored`), stored);
  assert.deepEqual(await list("/api/backups?status=stored"), [...stored, [elsewhere, "stored", false]]);
  assert.deepEqual(await list("/api/backups?status=deleting"), [[ids.deleting, "deleting", false]]);
  assert.deepEqual(await list("/api/backups?status=damaged"), [[ids.damaged, "damaged", false]]);
  assert.deepEqual(await list("/api/backups?status=held"), [[ids.held, "stored", true]]);
  const wrong = await client.call("GET", "/api/backups?status=gone");
  assert.equal(wrong.status, 422);
  assert.ok(wrong.body.errors.status);
  const page = (await client.call("GET", "/api/backups?status=stored&per_page=2")).body;
  assert.match(page.links.next, /status=stored&per_page=2&page=2$/);
});

Deno.test("deleting a backup needs its own ability", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const limited = await api.tokenOf(client, ["view-backup-tasks", "delete-backup-tasks"]);
  assert.equal((await limited.call("GET", `/api/backups/${id}`)).status, 200);
  assert.match((await limited.call("DELETE", `/api/backups/${id}`)).body.message, /delete-backups/);
});
