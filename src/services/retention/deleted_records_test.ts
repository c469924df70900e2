import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ApiClient, type TestApi, testApi } from "../../../tests/support/clients/api.ts";
import {
  newBackup,
  newDestination,
  newRun,
  newServer,
  newTask,
} from "../../../tests/support/fixtures/records.ts";
import { resealAll } from "../installation/resealing.ts";
import { fireDueTasks } from "../tasks/schedules.ts";
import { emptyTrash } from "./trash_removal.ts";

const DAY = 86_400_000;
const UNTIL = "2026-01-08T12:00:00Z";

/** Creates a task with secrets and with each kind of connection to other records. */
async function wholeTask(client: ApiClient) {
  const create = async (path: string, body: unknown) => {
    const answer = await client.call("POST", path, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.data.id as number;
  };
  const stream = {
    label: "mine",
    type: "email",
    value: "jo@example.test",
    notifications: { on_success: true, on_failure: true },
  };
  const script = (label: string) => create("/api/scripts", { label, type: "prescript", script: "true" });
  const ids = {
    tag: await create("/api/tags", { label: "live" }),
    stream: await create("/api/notification-streams", stream),
    scripts: [await script("second"), await script("first")].reverse(),
    server: await newServer(client),
    destination: await newDestination(client),
  };
  const task = await newTask(client, {
    label: "Shop",
    remote_server_id: ids.server,
    backup_destination_id: ids.destination,
    type: "database",
    database_name: "shop",
    database_type: "postgresql",
    database_username: "backup",
    database_password: "s3cret-db",
    isolated_username: "backup",
    isolated_password: "s3cret-os",
    tag_ids: [ids.tag],
    notification_stream_ids: [ids.stream],
    script_ids: ids.scripts,
  });
  await client.call("POST", `/api/backup-tasks/${task}/trigger-token`);
  return { ...ids, task };
}

const inTrash = async (client: ApiClient, query = "") =>
  (await client.call("GET", `/api/deleted-records${query}`)).body.data;

async function secretsOf(api: TestApi, task: number) {
  const [row] = await api
    .database`select source_secrets, isolated_password_encrypted from backup_tasks where id = ${task}`;
  return [row!.source_secrets.database_password, row!.isolated_password_encrypted]
    .map((sealed: string) => api.services.keyring.decrypt(sealed));
}

Deno.test("a deleted task is gone everywhere, and comes back as it was", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { task } = await wholeTask(client);
  const path = `/api/backup-tasks/${task}`;
  await newRun(api.database, task, api.clock.now(), { state: "failed", reason: "Disk full" });
  const backup = await newBackup(api.database, task, api.clock.now());
  const before = (await client.call("GET", path)).body.data;
  const rowBefore = await api.database`select to_jsonb(t) as row from backup_tasks t`;
  const deleted = await client.call("DELETE", path);
  assert.deepEqual([deleted.status, deleted.body], [200, {
    message: "Backup task successfully deleted",
    deletes_at: UNTIL,
  }]);
  assert.equal((await client.call("GET", path)).status, 404);
  assert.equal((await client.call("POST", `${path}/run`)).status, 404);
  assert.equal((await client.call("DELETE", path)).status, 404);
  assert.equal((await client.call("GET", "/api/backup-tasks")).body.meta.total, 0);
  assert.equal((await client.call("GET", `/api/backups/${backup}`)).body.data.backup_task_id, null);
  await api.clock.set("2026-01-06T02:00:00Z");
  assert.equal(await fireDueTasks(api.services), 0);
  const [stored] = await api.database`select rows::text || label as text, secrets from deleted_records`;
  assert.doesNotMatch(stored!.text, /s3cret|"v\d:/);
  assert.deepEqual(Object.keys(stored!.secrets).sort(), [
    "database_password_encrypted",
    "isolated_password_encrypted",
    "source_secrets.database_password",
  ]);
  assert.deepEqual(await inTrash(client), [{
    kind: "backup-tasks",
    id: task,
    label: "Shop",
    deleted_at: "2026-01-05T12:00:00Z",
    deletes_at: UNTIL,
    deleted_by: {
      id: client.userId,
      email: (await client.call("GET", "/api/user")).body.data.personal_info.email,
    },
  }]);

  const undone = await client.call("POST", `${path}/undelete`);
  assert.equal(undone.status, 200, JSON.stringify(undone.body));
  // The due time that passed meanwhile is skipped.
  assert.equal(before.schedule.next_run_at, "2026-01-06T01:00:00Z");
  const expected = { ...before, schedule: { ...before.schedule, next_run_at: "2026-01-07T01:00:00Z" } };
  assert.deepEqual(undone.body.data, { ...expected, protection: undone.body.data.protection });
  assert.equal(undone.body.data.protection.status, before.protection.status);
  assert.deepEqual(await secretsOf(api, task), ["s3cret-db", "s3cret-os"]);
  const strip = (rows: readonly Record<string, unknown>[]) => {
    const { next_run_at: _n, planned_at: _p, late_at: _l, ...row } = rows[0]!.row as Record<string, unknown>;
    return row;
  };
  const rowAfter = await api.database`select to_jsonb(t) as row from backup_tasks t`;
  assert.deepEqual(strip(rowAfter), strip(rowBefore));
  assert.equal((await client.call("GET", `${path}/backups`)).body.meta.total, 1);
  assert.equal((await client.call("GET", `${path}/logs`)).body.meta.total, 1);
  assert.deepEqual(await inTrash(client), []);
  // A second request changes nothing.
  assert.equal((await client.call("POST", `${path}/undelete`)).status, 200);
  // The record can be deleted again.
  assert.equal((await client.call("DELETE", path)).status, 200);
});

Deno.test("backups that were deleted with a task come back with it, others do not", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const [alone, together] = [
    await newBackup(api.database, task, api.clock.now()),
    await newBackup(api.database, task, api.clock.now()),
  ];
  await client.call("DELETE", `/api/backups/${alone}`);
  await api.clock.advance(60_000);
  const deleted = await client.call("DELETE", `/api/backup-tasks/${task}?with_backups=true`);
  assert.equal(deleted.body.deletes_at, "2026-01-08T12:01:00Z");
  assert.equal((await client.call("POST", `/api/backup-tasks/${task}/undelete`)).status, 200);
  const statuses = (await client.call("GET", "/api/backups?sort=id")).body.data;
  assert.deepEqual(
    statuses.map(({ id, status, backup_task_id }: Record<string, unknown>) => [id, status, backup_task_id]),
    [[alone, "deleting", task], [together, "stored", task]],
  );
  const trash = (await client.call("GET", "/api/backups?status=trash")).body.data;
  assert.deepEqual(trash.map(({ id }: { id: number }) => id), [alone]);
});

Deno.test("streams, scripts and tags come back with their connections to tasks", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { task, tag, stream } = await wholeTask(client);
  const [unused] = [
    (await client.call("POST", "/api/scripts", { label: "x", type: "prescript", script: "true" })).body.data,
  ];
  const shown = async () => (await client.call("GET", `/api/backup-tasks/${task}`)).body.data;
  const before = await shown();
  for (
    const path of [`/api/notification-streams/${stream}`, `/api/tags/${tag}`, `/api/scripts/${unused.id}`]
  ) {
    const record = (await client.call("GET", path)).body.data;
    const deleted = await client.call("DELETE", path);
    assert.deepEqual([deleted.status, deleted.body.deletes_at], [200, UNTIL], path);
    assert.equal((await client.call("GET", path)).status, 404);
    const undone = await client.call("POST", `${path}/undelete`);
    assert.deepEqual([undone.status, undone.body.data], [200, record], path);
  }
  assert.deepEqual(await shown(), before);
  assert.equal((await client.call("POST", `/api/notification-streams/${stream}/test`)).status, 200);
});

Deno.test("a task does not come back without its server, its destination or a script, and says why", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { task, destination, server, scripts, tag } = await wholeTask(client);
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  await client.call("DELETE", `/api/tags/${tag}`);
  const refused = async (pattern: RegExp) => {
    const answer = await client.call("POST", `/api/backup-tasks/${task}/undelete`);
    assert.equal(answer.status, 409);
    assert.match(answer.body.message, pattern);
  };
  await client.call("DELETE", `/api/scripts/${scripts[0]}`);
  await refused(
    new RegExp(`^The script ${scripts[0]} of the backup task is deleted. Take it out of the trash first`),
  );
  await client.call("POST", `/api/scripts/${scripts[0]}/undelete`);
  await client.call("DELETE", `/api/backup-destinations/${destination}`);
  await refused(/^The backup destination \d+ of the backup task is deleted\. Take it out/);
  await client.call("POST", `/api/backup-destinations/${destination}/undelete`);
  const undone = await client.call("POST", `/api/backup-tasks/${task}/undelete`);
  // A tag that is deleted meanwhile is left out.
  assert.deepEqual([undone.status, undone.body.data.tag_ids], [200, []]);
  assert.deepEqual(undone.body.data.script_ids, scripts);
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  await client.call("DELETE", `/api/remote-servers/${server}`);
  await refused(/^The remote server \d+ of the backup task is deleted/);
});

Deno.test("a rotation of the secret key reaches the secrets of deleted records", async () => {
  await using api = await testApi();
  const { keyring } = api.services;
  const [old, next] = [randomBytes(32), randomBytes(32)];
  keyring.use([old]);
  const client = await api.user();
  const { task } = await wholeTask(client);
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  keyring.use([next, old]);
  await resealAll(api.database, keyring);
  keyring.use([next]);
  assert.equal((await client.call("POST", `/api/backup-tasks/${task}/undelete`)).status, 200);
  assert.deepEqual(await secretsOf(api, task), ["s3cret-db", "s3cret-os"]);
});

Deno.test("after its time in the trash a record is gone for good", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { task } = await wholeTask(client);
  await newRun(api.database, task, api.clock.now(), { state: "failed" });
  await client.call("DELETE", `/api/backup-tasks/${task}`);
  assert.equal((await emptyTrash(api.services))!.toISOString(), "2026-01-08T12:00:00.000Z");
  await api.clock.advance(3 * DAY);
  assert.deepEqual(await inTrash(client), []);
  const late = await client.call("POST", `/api/backup-tasks/${task}/undelete`);
  assert.deepEqual([late.status, late.body.message], [404, "Backup task not found"]);
  await emptyTrash(api.services);
  const [left] = await api.database`
    select (select count(*) from deleted_records) + (select count(deleted_task_id) from runs) as count`;
  assert.equal(left!.count, 0);
});

Deno.test("deleted records are listed to those who may view their kind, and undeleted by those who may delete it", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const { task, tag } = await wholeTask(owner);
  await owner.call("DELETE", `/api/tags/${tag}`);
  await owner.call("DELETE", `/api/backup-tasks/${task}`);
  const kinds = async (client: ApiClient, query = "") =>
    (await inTrash(client, query)).map(({ kind }: { kind: string }) => kind);
  assert.deepEqual(await kinds(owner), ["backup-tasks", "tags"]);
  assert.deepEqual(await kinds(owner, "?kind=tags"), ["tags"]);
  assert.deepEqual(await kinds(await api.tokenOf(owner, ["view-tags"])), ["tags"]);
  const viewer = await api.member(owner, "viewer");
  assert.deepEqual(await kinds(viewer), ["backup-tasks", "tags"]);
  assert.equal((await viewer.call("POST", `/api/backup-tasks/${task}/undelete`)).status, 403);
  const other = await api.user();
  assert.deepEqual(await kinds(other), []);
  assert.equal((await other.call("POST", `/api/backup-tasks/${task}/undelete`)).status, 404);
  assert.equal((await owner.call("GET", "/api/deleted-records?kind=users")).status, 422);
});
