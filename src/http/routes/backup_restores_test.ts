import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/api.ts";
import { newBackup, newTask } from "../../../tests/support/records.ts";

Deno.test("a restore is queued with a log of its own, for those who may", async () => {
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

Deno.test("every field of a restore that is wrong is named at once", async () => {
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
