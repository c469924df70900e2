import assert from "node:assert/strict";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";

/**
 * Inserts a run and its attempt. The attempt contains the agent's verdict; null if the agent reported none.
 */
async function newCheck(
  { clock, database }: TestApi,
  taskId: number,
  fields: Record<string, unknown>,
  verdict: object | null,
): Promise<number> {
  const id = await newRun(database, taskId, clock.now(), { attempt: 1, ...fields });
  const attempt = { run_id: id, attempt: 1, leased_at: clock.now(), verdict_at: clock.now() };
  await database`insert into run_attempts ${
    database({
      ...attempt,
      verdict: verdict && database.json(verdict as never),
      verdict_applied: verdict !== null,
    })
  }`;
  return id;
}

async function proofs(client: ApiClient, query = "") {
  const { body, status } = await client.call("GET", `/api/history/proofs${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

const succeeded = { outcome: "succeeded", warnings_count: 0 };
const failed = { outcome: "failed", warnings_count: 0, leftovers: [] };

Deno.test("verifications and drills are shown with what they compared, in their logs too", async () => {
  await using api = await testApi();
  const { clock, database } = api;
  const client = await api.user();
  const [task, other] = [await newTask(client, { label: "Shop" }), await newTask(client, { label: "Home" })];
  const backup_id = await newBackup(database, task, clock.now());
  const now = `${clock.now().toISOString().slice(0, 19)}Z`;
  const verified = { files_count: 12, is_opened: true, objects_count: 3, bytes_read: 4096, duration_ms: 900 };
  const databases = [{ name: "shop", tables_count: 3, rows_count: 1200 }];
  const proven = { files_count: null, databases, bytes_read: 512, restore_ms: 700, duration_ms: 950 };
  const check = (fields: Record<string, unknown>, verdict: object | null) =>
    newCheck(api, task, { backup_id, ...fields }, verdict);
  const first = await check({ kind: "verify" }, { ...succeeded, verified });
  const drill = await check({ kind: "drill" }, { ...succeeded, proven });
  const damage = { ...failed, reason: "Backup 1 is damaged.", damage: "its end is missing" };
  const damaged = await check({ kind: "verify", state: "failed", reason: "Backup 1 is damaged." }, damage);
  const unknown = await check({ kind: "drill", state: "failed" }, { ...failed, reason: "No room." });
  const lost = await check({ kind: "verify", state: "lost" }, null);
  const cancelled = await check({ kind: "verify", state: "cancelled" }, null);
  const { objects_count: _, ...ofOlderAgent } = verified;
  const last = await check({ kind: "verify", backup_id: null }, { ...succeeded, verified: ofOlderAgent });
  await check({ kind: "verify", state: "running" }, null);
  await check({ kind: "backup" }, null);
  await database`update backup_tasks set last_proven_at = ${clock.now()}, restore_duration_ms = 700,
    last_checked_at = ${clock.now()} where id = ${task}`;

  const later = (days: number) =>
    `${new Date(clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 19)}Z`;
  const evidence = {
    files_count: 12,
    databases: null,
    objects_count: 3,
    is_opened: true,
    read_bytes: 4096,
    restore_ms: null,
    duration_ms: 900,
  };
  const ofDrill = {
    files_count: null,
    databases,
    objects_count: null,
    is_opened: true,
    read_bytes: 512,
    restore_ms: 700,
    duration_ms: 950,
  };
  const [{ checks, ...shown }] = await proofs(client, `?backup_task_id=${task}`);
  assert.deepEqual(shown, {
    backup_task_id: task,
    label: "Shop",
    status: "proven",
    note: null,
    newest_backup_id: backup_id,
    is_drillable: true,
    damaged_backups_count: 0,
    proven: { last_at: now, restore_ms: 700, every_days: 30, due_at: later(30) },
    checked: { last_at: now, every_days: 7, due_at: later(7) },
  });
  assert.deepEqual(checks[1], {
    id: drill,
    kind: "drill",
    backup_id,
    backup_created_at: now,
    started_at: now,
    finished_at: now,
    outcome: "proven",
    reason: null,
    evidence: ofDrill,
  });
  const short = (each: Record<string, unknown>) => [each.id, each.outcome, each.evidence];
  assert.deepEqual(checks.map(short), [
    [first, "verified", evidence],
    [drill, "proven", ofDrill],
    [damaged, "damaged", null],
    [unknown, "failed", null],
    [lost, "failed", null],
    [cancelled, "cancelled", null],
    [last, "verified", { ...evidence, objects_count: null }],
  ]);
  assert.equal(checks.at(-1).backup_created_at, null);
  const [limited] = await proofs(client, `?backup_task_id=${task}&limit=1`);
  assert.deepEqual(limited.checks.map(short), checks.slice(-1).map(short));

  const all = await proofs(client);
  assert.deepEqual(all.map((each: Record<string, unknown>) => each.label), ["Shop", "Home"]);
  assert.deepEqual(all[0].checks.map(({ id }: { id: number }) => id), [unknown, last]);
  assert.deepEqual([all[1].checks, all[1].proven.last_at], [[], null]);
  const log = async (id: number) => (await client.call("GET", `/api/backup-task-logs/${id}`)).body.data;
  assert.deepEqual((await log(drill)).evidence, ofDrill);
  assert.equal((await log(damaged)).evidence, null);
  const logs = (await client.call("GET", "/api/backup-task-logs?kind=drill")).body.data;
  assert.deepEqual(logs.map((each: Record<string, unknown>) => each.evidence), [ofDrill, null]);
  assert.deepEqual(await proofs(await api.user(), `?backup_task_id=${other}`), []);
});

Deno.test("each task says whether its backups are proven, and why nothing drills them", async () => {
  await using api = await testApi();
  const { clock, database } = api;
  const client = await api.user();
  const at = clock.now();
  const task = (label: string, fields: Record<string, unknown> = {}) => newTask(client, { label, ...fields });
  const [shop, mail, sealed] = [await task("Shop"), await task("Mail"), await task("Sealed")];
  await task("Empty");
  const old = await newBackup(database, shop, at, { damaged_at: at, damage_reason: "Torn." });
  const newest = await newBackup(database, shop, new Date(at.getTime() + 1000));
  await newBackup(database, mail, at, { checked_at: at });
  const encryption = { encrypted: true, encryption: "recipients", encryption_recipients: ["age1"] };
  await newBackup(database, sealed, at, encryption);
  const list = async (query = "") =>
    (await proofs(client, query)).map((each: Record<string, unknown>) => [each.label, each.status]);
  assert.deepEqual(await list(), [
    ["Shop", "damaged"],
    ["Mail", "never_proven"],
    ["Sealed", "not_drilled"],
    ["Empty", "no_backup"],
  ]);
  const [damaged, , recipients, empty] = await proofs(client);
  assert.equal(empty.checked.due_at, null);
  assert.deepEqual([damaged.newest_backup_id, damaged.damaged_backups_count], [newest, 1]);
  assert.match(recipients.note, /encrypted to recipients/);
  assert.deepEqual([recipients.proven.due_at, recipients.is_drillable], [null, false]);
  const removal = { removal_requested_at: at, removal_reason: "request" };
  await database`update backups set ${database(removal)} where id = ${old}`;
  await database`update backup_tasks set paused_at = ${at}, last_proven_at = ${at} where id = ${mail}`;
  assert.deepEqual(await list(`?ids=${shop},${mail}`), [["Shop", "never_proven"], ["Mail", "proven"]]);
  const [paused] = await proofs(client, `?ids=${mail}`);
  assert.deepEqual([paused.proven.due_at, paused.checked.due_at], [null, null]);
  assert.match(paused.note, /paused/);
});
