import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newTask } from "../../../../tests/support/fixtures/records.ts";
import { emptyTrash } from "../../../services/retention/trash_removal.ts";

const RULES = [
  "keep_last",
  "keep_hourly",
  "keep_daily",
  "keep_weekly",
  "keep_monthly",
  "keep_yearly",
] as const;

async function backupAt(api: TestApi, taskId: number, at: string, fields = {}): Promise<number> {
  return await newBackup(api.database, taskId, new Date(at), fields);
}

async function preview(client: ApiClient, taskId: number, query = "") {
  const { status, body } = await client.call("GET", `/api/backup-tasks/${taskId}/retention-preview${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

Deno.test("a task's rules can be set, shown and changed", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { keep_daily: "7", keep_weekly: 4, minimum_age_days: 2 });
  const path = `/api/backup-tasks/${taskId}`;
  const shown = async () => {
    const { data } = (await client.call("GET", path)).body;
    return [...RULES.map((rule) => data[rule]), data.minimum_age_days, data.maximum_backups_to_keep];
  };
  assert.deepEqual(await shown(), [null, null, 7, 4, null, null, 2, 0]);
  const changes = { keep_daily: null, keep_yearly: 0, keep_last: 3, minimum_age_days: "" };
  assert.equal((await client.call("PUT", path, changes)).status, 200);
  assert.deepEqual(await shown(), [3, null, null, 4, null, 0, null, 0]);
});

Deno.test("all invalid rules are reported together", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const wrong = Object.fromEntries(RULES.map((rule) => [rule, -1]));
  const fields = { ...wrong, minimum_age_days: "soon" };
  const { status, body } = await client.call("PUT", `/api/backup-tasks/${taskId}`, fields);
  assert.equal(status, 422);
  assert.deepEqual(Object.keys(body.errors).sort(), Object.keys(fields).sort());
  const query =
    `/api/backup-tasks/${taskId}/retention-preview?keep_daily=-1&keep_last=x&minimum_age_days=1.5`;
  const refused = await client.call("GET", query);
  assert.equal(refused.status, 422);
  assert.deepEqual(Object.keys(refused.body.errors).sort(), ["keep_daily", "keep_last", "minimum_age_days"]);
});

Deno.test("a preview shows which backups would be removed and why the others are kept, and removes nothing", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { timezone: "Europe/Berlin", keep_daily: 2 });
  const first = await backupAt(api, taskId, "2026-01-02T12:00:00Z");
  const second = await backupAt(api, taskId, "2026-01-03T22:00:00Z", { size: 10 });
  // In the task's time zone, this is already the next day.
  const third = await backupAt(api, taskId, "2026-01-03T23:30:00Z");
  const fourth = await backupAt(api, taskId, "2026-01-04T22:30:00Z");
  const removal = { removal_requested_at: api.clock.now(), removal_reason: "request" };
  await backupAt(api, taskId, "2026-01-04T22:40:00Z", removal);
  const own = await preview(client, taskId);
  assert.deepEqual([own.backup_task_id, own.timezone, own.policy.keep_daily], [taskId, "Europe/Berlin", 2]);
  assert.deepEqual([own.kept, own.removed, own.removed_size], [2, 2, 2000]);
  assert.deepEqual(
    own.backups.map(({ id, action, reasons }: Record<string, unknown>) => [id, action, reasons]),
    [
      [fourth, "keep", [
        { rule: "keep_daily", text: "daily 2026-01-04" },
        { rule: "newest_good", text: "the newest intact one" },
      ]],
      [third, "remove", []],
      [second, "keep", [{ rule: "keep_daily", text: "daily 2026-01-03" }]],
      [first, "remove", []],
    ],
  );
  const marked = await api.database`select id from backups where removal_reason = 'retention'`;
  assert.equal(marked.length, 0);
});

Deno.test("a preview accepts other rules than the task's own", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { keep_daily: 1, maximum_backups_to_keep: 2 });
  for (const day of ["02", "03", "04", "05"]) await backupAt(api, taskId, `2026-01-${day}T06:00:00Z`);
  assert.equal((await preview(client, taskId)).removed, 2);
  assert.equal((await preview(client, taskId, "?keep_daily=3")).removed, 1);
  assert.equal((await preview(client, taskId, "?maximum_backups_to_keep=0")).removed, 3);
  assert.equal((await preview(client, taskId, "?maximum_backups_to_keep=0&keep_daily=0")).removed, 0);
  const young = await preview(client, taskId, "?minimum_age_days=2");
  assert.deepEqual([young.policy.minimum_age_days, young.removed], [2, 2]);
  assert.equal((await preview(client, taskId)).policy.minimum_age_days, null);
});

Deno.test("a held backup is not deleted until it is released", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const id = await newBackup(api.database, taskId, api.clock.now());
  const call = (method: string, path: string, body?: unknown) =>
    client.call(method, `/api/backups/${id}${path}`, body);
  const { status, body } = await call("POST", "/hold", { reason: "Before the move" });
  assert.deepEqual([status, body.data.held, body.data.hold_reason], [200, true, "Before the move"]);
  // A second request to hold the backup has no body. The hold keeps its reason.
  assert.equal((await call("POST", "/hold")).body.data.hold_reason, "Before the move");
  const refused = await call("DELETE", "");
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, new RegExp(`Release it with DELETE /api/backups/${id}/hold`));
  for (const _ of [1, 2]) {
    const released = await call("DELETE", "/hold");
    assert.deepEqual([released.status, released.body.data.held], [200, true]);
    assert.equal(released.body.data.hold_ends_at, "2026-01-08T12:00:00Z");
    const early = await call("DELETE", "");
    assert.match(early.body.message, /held until 2026-01-08T12:00:00Z, as its hold was released/);
    await api.clock.advance(3_600_000);
  }
  await api.clock.set("2026-01-08T12:00:00Z");
  await emptyTrash(api.services);
  const free = (await call("GET", "")).body.data;
  assert.deepEqual([free.held, free.hold_reason, free.hold_ends_at], [false, null, null]);
  assert.equal((await call("DELETE", "")).status, 200);
  // A hold undoes the deletion if no object has been removed yet.
  assert.equal((await call("POST", "/restore", { target_path: "/back" })).status, 409);
  assert.equal((await call("POST", "/hold")).body.data.status, "stored");
  await call("DELETE", "/hold");
  await api.clock.advance(3 * 86_400_000);
  await emptyTrash(api.services);
  await call("DELETE", "");
  await api.database`update backups set removal_begun_at = ${api.clock.now()} where id = ${id}`;
  const late = await call("POST", "/hold");
  assert.equal(late.status, 409);
  assert.match(
    late.body.message,
    /^The backup is being deleted since 2026-\S+Z, and parts of it may be deleted already\. Hold another one/,
  );
});

Deno.test("a task is not deleted with backups of which one is held", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const [held] = [
    await newBackup(api.database, taskId, api.clock.now()),
    await newBackup(api.database, taskId, api.clock.now()),
  ];
  await client.call("POST", `/api/backups/${held}/hold`);
  const remove = () => client.call("DELETE", `/api/backup-tasks/${taskId}?with_backups=1`);
  const refused = await remove();
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /^1 backup of the task is held\. Release/);
  assert.equal((await api.database`select from backups where removal_requested_at is not null`).length, 0);
  await client.call("DELETE", `/api/backups/${held}/hold`);
  assert.equal((await remove()).status, 409);
  await api.clock.advance(3 * 86_400_000);
  await emptyTrash(api.services);
  assert.match((await remove()).body.deletes_at, /^2026-01-11T/);
  assert.equal((await api.database`select from backups where removal_requested_at is not null`).length, 2);
});

Deno.test("a person clears a suspicion, and older backups may be removed again", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { keep_last: 1 });
  await backupAt(api, taskId, "2026-01-02T06:00:00Z");
  const doubted = await backupAt(api, taskId, "2026-01-03T06:00:00Z", {
    suspicious_at: api.clock.now(),
    suspicion: "90 % of what changed can't be compressed.",
  });
  await backupAt(api, taskId, "2026-01-04T06:00:00Z");
  const before = await preview(client, taskId);
  assert.equal(before.removed, 0);
  assert.deepEqual(before.backups[2].reasons, [
    { rule: "suspicious", text: `older than backup ${doubted}, which is suspicious` },
  ]);
  const shown = (await client.call("GET", `/api/backups/${doubted}`)).body.data;
  assert.deepEqual([shown.suspicious_at, shown.suspicion], [
    "2026-01-05T12:00:00Z",
    "90 % of what changed can't be compressed.",
  ]);
  const cleared = await client.call("DELETE", `/api/backups/${doubted}/suspicion`);
  assert.deepEqual([cleared.status, cleared.body.data.suspicious_at, cleared.body.data.suspicion], [
    200,
    null,
    null,
  ]);
  assert.equal((await preview(client, taskId)).removed, 2);
});

Deno.test("a person marks a damaged backup as intact", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now(), {
    damaged_at: api.clock.now(),
    damage_reason: "database shop differs from the original",
  });
  const cleared = await client.call("DELETE", `/api/backups/${id}/damage`);
  const { status, damaged_at, damage_reason } = cleared.body.data;
  assert.deepEqual([cleared.status, status, damaged_at, damage_reason], [200, "stored", null, null]);
});

Deno.test("holds and suspicions need their ability, and only the owner can change them", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  const id = await newBackup(api.database, taskId, api.clock.now());
  const limited = await api.tokenOf(client, ["view-backup-tasks"]);
  const stranger = await api.user();
  assert.equal((await limited.call("GET", `/api/backup-tasks/${taskId}/retention-preview`)).status, 200);
  const other = await stranger.call("GET", `/api/backup-tasks/${taskId}/retention-preview`);
  assert.deepEqual([other.status, other.body.message], [404, "Backup task not found"]);
  for (
    const [method, verb] of [["POST", "hold"], ["DELETE", "hold"], ["DELETE", "suspicion"], [
      "DELETE",
      "damage",
    ]] as const
  ) {
    assert.match((await limited.call(method, `/api/backups/${id}/${verb}`)).body.message, /delete-backups/);
    const { status, body } = await stranger.call(method, `/api/backups/${id}/${verb}`);
    assert.deepEqual([status, body.message], [404, "Backup not found"]);
  }
});
