import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("a restore is queued with a log of its own, if the token allows it", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const path = `/api/backups/${id}/restore`;
  const answer = await client.call("POST", path, {
    target_path: "/srv/restored",
    paths: ["etc/"],
    overwrite: "1",
  });
  assert.equal(answer.status, 202);
  const log = await client.call("GET", `/api/backup-task-logs/${answer.body.backup_task_log_id}`);
  assert.deepEqual([log.body.data.kind, log.body.data.status, log.body.data.backup_id], [
    "restore",
    "queued",
    id,
  ]);
  const reader = await api.tokenOf(client, ["view-backup-tasks"]);
  assert.equal((await reader.call("POST", path, { target_path: "/srv" })).status, 403);
  assert.equal((await (await api.user()).call("POST", path, { target_path: "/srv" })).status, 404);
});

Deno.test("all invalid fields of a restore are reported together", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const { status, body } = await client.call("POST", `/api/backups/${id}/restore`, {
    remote_server_id: "x",
    target_path: "relative/../path",
    paths: ["../up"],
    overwrite: "perhaps",
  });
  assert.equal(status, 422);
  assert.deepEqual(Object.keys(body.errors).sort(), [
    "overwrite",
    "paths.0",
    "remote_server_id",
    "target_path",
  ]);
  const root = await client.call("POST", `/api/backups/${id}/restore`, {
    target_path: "/srv",
    paths: ["./"],
  });
  assert.match(root.body.errors.paths[0], /names the whole backup/);
  const other = await client.call("POST", `/api/backups/${id}/restore`, {
    target_path: "/srv",
    remote_server_id: 999,
  });
  assert.deepEqual(other.body.errors, { remote_server_id: ["The selected remote server is invalid."] });
});

Deno.test("a restore of databases accepts their names, one of files its paths", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const files = await newBackup(api.database, taskId, api.clock.now());
  const id = await newBackup(api.database, taskId, api.clock.now(), { engine: "pg_dump", files_count: null });
  await api.database`update backup_objects set database_name = 'shop' where backup_id = ${id}`;
  await api.database`
    insert into backup_objects (backup_id, ordinal, role, name, size, sha256, database_name)
    values (${id}, 1, 'archive', 'wiki', 1, ${"0".repeat(64)}, 'wiki'),
      (${id}, 2, 'archive', 'globals', 1, ${"0".repeat(64)}, null)`;
  const errorsOf = async (backupId: number, body: Record<string, unknown>) => {
    const answer = await client.call("POST", `/api/backups/${backupId}/restore`, body);
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
    return answer.body.errors;
  };
  assert.deepEqual(await errorsOf(files, { target_path: "/srv", databases: ["a"], database_name: "b" }), {
    databases: ["The databases field can't be used: the backup holds files."],
    database_name: ["The database name field can't be used: the backup holds files."],
  });
  assert.deepEqual(await errorsOf(id, { target_path: "/srv", paths: ["etc"] }), {
    target_path: ["The target path field can't be used: the backup holds databases."],
    paths: ["The paths field can't be used: the backup holds databases."],
  });
  assert.deepEqual(await errorsOf(id, { database_name: "copy" }), {
    database_name: [
      "Only one database can get a new name: name it in databases. The backup holds: shop, wiki.",
    ],
  });
  assert.deepEqual(await errorsOf(id, { databases: ["shop", "none"] }), {
    databases: ["The backup contains no database none. The backup holds: shop, wiki."],
  });
  assert.deepEqual(Object.keys(await errorsOf(id, { databases: [], database_name: "--all" })).sort(), [
    "database_name",
    "databases",
  ]);
  const request = { databases: ["shop"], database_name: "copy", overwrite: true };
  const { body } = await client.call("POST", `/api/backups/${id}/restore`, request);
  const [run] = await api.database`select options from runs where id = ${body.backup_task_log_id}`;
  assert.deepEqual(run!.options, { type: "database", engine: "postgresql", server: null, ...request });
});

Deno.test("a restore of SQLite databases takes paths, and nothing of a server", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const id = await newBackup(api.database, taskId, api.clock.now(), { engine: "sqlite3", files_count: null });
  await api.database`update backup_objects set database_name = '/var/lib/a.db' where backup_id = ${id}`;
  const restore = (body: Record<string, unknown>) => client.call("POST", `/api/backups/${id}/restore`, body);
  assert.deepEqual((await restore({ database_host: "db", owners: false, target_path: "/srv" })).body.errors, {
    target_path: ["The target path field can't be used: the backup holds databases."],
    database_host: ["The database host field can't be used: the backup holds SQLite databases."],
    owners: ["The owners field can't be used: the backup holds SQLite databases."],
  });
  assert.match(
    (await restore({ database_name: "copy" })).body.errors.database_name[0],
    /must be absolute paths/,
  );
  const request = { databases: ["/var/lib/a.db"], database_name: "/srv/a.db", overwrite: true };
  const { status, body } = await restore(request);
  assert.equal(status, 202, JSON.stringify(body));
  const [run] = await api.database`select options from runs where id = ${body.backup_task_log_id}`;
  assert.deepEqual(run!.options, { type: "sqlite", ...request });
  const drill = await client.call("POST", `/api/backups/${id}/drill`, { database_host: null });
  assert.match(drill.body.errors.database_host[0], /the backup holds SQLite databases\.$/);
  const files = await client.call("GET", `/api/backups/${id}/files`);
  assert.match(files.body.message, /holds databases, not files/);
});

Deno.test("a restore of databases accepts a database server, one of files does not", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const files = await newBackup(api.database, taskId, api.clock.now());
  const databases = await newBackup(api.database, taskId, api.clock.now(), { engine: "pg_dump" });
  const restore = (id: number, body: unknown) => client.call("POST", `/api/backups/${id}/restore`, body);
  const server = { database_host: "10.0.0.7", database_port: 5433, database_username: "qa" };
  for (const [path, id] of [["restore", files], ["drill", files]] as const) {
    const { status, body } = await client.call("POST", `/api/backups/${id}/${path}`, server);
    assert.deepEqual([status, Object.keys(body.errors).sort()], [422, Object.keys(server).sort()]);
  }
  const wrong = await restore(databases, { database_host: "a b", database_port: 0, database_username: "-x" });
  assert.deepEqual(Object.keys(wrong.body.errors).sort(), Object.keys(server).sort());
  const stray = await restore(databases, { database_port: 5433 });
  assert.deepEqual(stray.body.errors, {
    database_port: ["The database port field requires database_host; null is the local socket."],
  });
  assert.equal((await restore(databases, server)).status, 202);
  assert.equal(
    (await client.call("POST", `/api/backups/${databases}/drill`, { database_host: null })).status,
    202,
  );
});

Deno.test("a restore of databases accepts load options, each engine its own", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const now = api.clock.now();
  const files = await newBackup(api.database, taskId, now);
  const postgresql = await newBackup(api.database, taskId, now, { engine: "pg_dump" });
  const mysql = await newBackup(api.database, taskId, now, { engine: "mysqldump" });
  const restore = (id: number, body: unknown) => client.call("POST", `/api/backups/${id}/restore`, body);
  const started = await restore(postgresql, { owners: false, continue_on_errors: "1" });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const [run] = await api.database`select options from runs where id = ${started.body.backup_task_log_id}`;
  assert.deepEqual(run!.options.load, { owners: false, continue_on_errors: true });
  assert.equal((await restore(mysql, { definers: "login" })).status, 202);
  const fields = async (id: number, body: unknown) => Object.keys((await restore(id, body)).body.errors);
  assert.deepEqual(await fields(postgresql, { definers: "login" }), ["definers"]);
  assert.deepEqual(await fields(mysql, { owners: false }), ["owners"]);
  assert.deepEqual(await fields(mysql, { definers: "nobody" }), ["definers"]);
  assert.deepEqual(
    (await fields(files, { owners: false, definers: "keep", continue_on_errors: true })).sort(),
    ["continue_on_errors", "definers", "owners"],
  );
});
