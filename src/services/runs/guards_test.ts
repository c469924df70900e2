import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { event, success } from "../../../tests/support/clients/events.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { storedBackupOf } from "./verdict_findings.ts";
import type { BackupJob, StoredBackup } from "../../protocol/job.ts";
import { updateBackupTask } from "../tasks/backup_tasks.ts";
import { DEFAULT_ACTIONS } from "../../domain/guards/registry.ts";
import type { BackupTaskInput } from "../tasks/backup_task_input.ts";
import { clearSuspicion } from "../backups/backups.ts";
import { claimAssignments } from "./dispatch.ts";
import { recordEvents } from "./run_events.ts";
import { startRun } from "./runs.ts";

const SUSPICION = "Possible ransomware: the data compresses much worse than in the last 3 backups";

const SHRINKING = "It shrank to less than half of the last 3 backups' median: 1 files (median 3)";

async function setUpGuards(task: Record<string, unknown> = {}) {
  const test = await testServices();
  const { services, clock } = test;
  const { caller, taskId, serverId } = await plant(services, task);
  const stored = success();
  assert.ok(stored.kind === "finished");
  const backup = storedBackupOf(stored.verdict)!;
  return {
    ...test,
    caller,
    taskId,
    /** Runs the task to its end; `stats` are the backup's stats. Returns the id of the backup. */
    async store(stats: Partial<StoredBackup> = {}): Promise<number> {
      await this.backUp(stats);
      const [row] = await test.database<{ id: number }[]>`select max(id) as id from backups`;
      return row!.id;
    },
    update: (input: BackupTaskInput) => updateBackupTask(services, caller, taskId, input),
    /** Runs the task to its end; `stats` are the backup's stats. Returns the guards in the run's job. */
    async backUp(stats: Partial<StoredBackup> = {}) {
      await clock.advance(3_600_000);
      await startRun(services, caller, taskId);
      const [run] = await claimAssignments(services, [serverId]);
      await recordEvents(services, [
        event(serverId, run!, 1, { kind: "accepted" }),
        event(serverId, run!, 2, success({ backup: { ...backup, ...stats } })),
      ]);
      return (run!.job as BackupJob).guards;
    },
  };
}

Deno.test("a job has the task's guard actions, and the usual values once three backups are stored", async () => {
  await using at = await setUpGuards({ guards: { shrink: "fail" } });
  const actions = { on_shrink: "fail", on_incompressible: "warn" };
  const byGuard = { ...DEFAULT_ACTIONS, shrink: "fail" };
  assert.deepEqual(await at.backUp(), { ...actions, actions: byGuard, usual: null, runs: null });
  for (let i = 0; i < 2; i++) assert.equal((await at.backUp({ incompressible_share: 0.5 }))!.usual, null);
  assert.deepEqual({ ...(await at.backUp())!.usual }, {
    backups_count: 3,
    size: 10,
    bytes_read: 100,
    files_count: 3,
    incompressible_share: null,
    compression: 0.1,
  });
});

Deno.test("changing the source restarts its history; setting the same source does not", async () => {
  await using at = await setUpGuards();
  for (let i = 0; i < 3; i++) await at.backUp();
  const same = await at.update({ label: "renamed", source_path: "/data", excluded_paths: [] });
  assert.equal(same.source_changed_at, null);
  assert.equal((await at.backUp())!.usual!.backups_count, 3);
  const changes: BackupTaskInput[] = [
    { source_path: "/srv" },
    { excluded_paths: ["*.tmp"] },
    { isolated_username: "www-data" },
    { type: "database", database_name: "shop" },
    { excluded_database_tables: "logs" },
    { compression_level: 0 },
    { compression_level: 19 },
  ];
  for (const change of changes) {
    const changed = await at.update(change);
    assert.deepEqual(changed.source_changed_at, at.clock.now(), JSON.stringify(change));
    assert.equal((await at.backUp())!.usual, null);
  }
  for (let i = 0; i < 2; i++) await at.backUp();
  assert.equal((await at.backUp())!.usual!.backups_count, 3);
});

Deno.test("shrunken backups replace no older ones and are reported each time, until a user clears them", async () => {
  await using at = await setUpGuards({ maximum_backups_to_keep: 2 });
  const { database, services, caller } = at;
  const { taskId } = at;
  // The stream reports only failures, as the guide recommends.
  await newStream(services, { userId: caller.userId, taskId }, { on_success: false, on_failure: true });
  const whole = [await at.store(), await at.store()];
  const shrunken: number[] = [];
  for (let night = 0; night < 7; night++) shrunken.push(await at.store({ shrinking: SHRINKING }));
  const left = async () =>
    (await database`select id from backups where removal_requested_at is null order by id`).map(({ id }) =>
      id
    );
  assert.deepEqual(await left(), [...whole, ...shrunken]);
  const deliveries = await database`
    select event ->> 'event' as event, event ->> 'reason' as reason, (event -> 'backup' ->> 'id')::integer as id
    from notification_deliveries order by id`;
  assert.deepEqual(
    deliveries.map((row) => ({ ...row })),
    shrunken.map((id) => ({ event: "backup.shrunken", reason: SHRINKING, id })),
  );
  const [first] = await database`select suspicion, suspicious_at from backups where id = ${shrunken[0]!}`;
  assert.equal(first!.suspicion, SHRINKING);
  for (const id of shrunken) await clearSuspicion(services, caller, id);
  const last = await at.store();
  assert.deepEqual(await left(), [shrunken.at(-1), last]);
});

Deno.test("a backup that shrank and may hold encrypted files reports both", async () => {
  await using at = await setUpGuards();
  const id = await at.store({ suspicion: SUSPICION, shrinking: SHRINKING });
  const [row] = await at.database`select suspicion from backups where id = ${id}`;
  assert.equal(row!.suspicion, `${SUSPICION}; ${SHRINKING}`);
});

Deno.test("a suspicious backup is recorded as such, and replaces none of the older ones", async () => {
  await using at = await setUpGuards({ maximum_backups_to_keep: 2 });
  const { database, clock } = at;
  const marked = async () =>
    (await database`select id from backups where removal_requested_at is not null order by id`).map((
      { id },
    ) => id);
  for (let i = 0; i < 2; i++) await at.backUp();
  await at.backUp({ suspicion: SUSPICION, incompressible_share: 0.97 });
  await at.backUp({ suspicion: SUSPICION });
  const [third] = await database`select * from backups where id = 3`;
  assert.equal(third!.suspicion, SUSPICION);
  assert.equal(third!.incompressible_share, 0.97);
  assert.deepEqual(third!.suspicious_at, new Date(clock.now().getTime() - 3_600_000));
  assert.deepEqual(await marked(), []);
  // Even a good backup replaces no older one until a user has reviewed the suspicious backups.
  await at.backUp({ suspicion: null });
  assert.deepEqual(await marked(), []);
});

Deno.test("an incomplete backup notifies on_failure streams, replaces none and counts for no median", async () => {
  await using at = await setUpGuards({ maximum_backups_to_keep: 1 });
  const { database, services, caller, taskId } = at;
  await newStream(services, { userId: caller.userId, taskId }, { on_success: false, on_failure: true });
  const complete = await at.store();
  const missing = [{ name: "shop", reason: "pg_dump exited with 1" }, {
    name: "crm",
    reason: "it is invalid",
  }];
  const incomplete = [await at.store({ missing }), await at.store({ missing })];
  const left = async () =>
    (await database`select id from backups where removal_requested_at is null order by id`).map(({ id }) =>
      id
    );
  assert.deepEqual(await left(), [complete, incomplete.at(-1)]);
  const [deliveries] = await database`
    select event ->> 'event' as event, event ->> 'reason' as reason from notification_deliveries order by id`;
  assert.deepEqual({ ...deliveries }, {
    event: "backup.incomplete",
    reason: "shop: pg_dump exited with 1; crm: it is invalid",
  });
  const last = await at.store();
  assert.deepEqual(await left(), [last]);
  assert.equal((await at.backUp())!.usual, null);
});

Deno.test("a backup with unreadable files replaces no complete one, and is no incomplete one otherwise", async () => {
  await using at = await setUpGuards({ maximum_backups_to_keep: 1 });
  const { database, services, caller, taskId } = at;
  await newStream(services, { userId: caller.userId, taskId }, { on_success: false, on_failure: true });
  const left = async () =>
    (await database`select id from backups where removal_requested_at is null order by id`).map(({ id }) =>
      id
    );
  const complete = await at.store();
  await at.store({ unreadable_count: 1 });
  const unreadable = await at.store({ unreadable_count: 200 });
  assert.deepEqual(await left(), [complete, unreadable]);
  assert.equal((await database`select from notification_deliveries`).length, 0);
  const last = await at.store();
  assert.deepEqual(await left(), [last]);
});

Deno.test("the control plane applies the guards that an agent does not know", async () => {
  await using at = await setUpGuards({ guards: { shrink: "warn" } });
  const known = { suspicion: null, shrinking: null };
  for (let i = 0; i < 3; i++) await at.store(known);
  const [id, last] = [await at.store({ files_count: 1 }), await at.store({ ...known, files_count: 1 })];
  const rows = await at.database`select id, findings, suspicion from backups where id >= ${id} order by id`;
  assert.deepEqual(rows.map((row) => ({ ...row })), [
    { id, findings: [{ name: "shrink", message: SHRINKING, severity: "critical" }], suspicion: SHRINKING },
    { id: last, findings: [], suspicion: null },
  ]);
  const checked = { findings: [], guards_checked: ["incompressible"], files_count: 1 };
  const later = await at.store(checked);
  const [row] = await at.database`select findings from backups where id = ${later}`;
  assert.equal(row!.findings.length, 1);
  await at.update({ guards: { shrink: "fail" } });
  const object = { role: "archive" as const, size: 10, sha256: "b".repeat(64), database: null };
  await at.backUp({ ...checked, objects: [{ ...object, name: "backup_1_later.tar.zst" }] });
  const [run] = await at.database`select state, reason from runs order by id desc limit 1`;
  assert.equal(run!.state, "failed");
  assert.match(run!.reason, /^Cannot trust this backup: it shrank .*on_shrink/);
  const objects = await at.database`select distinct name from leftovers order by 1`;
  assert.deepEqual(objects.map(({ name }) => name), ["backup_1_later.tar.zst"]);
});

Deno.test("an agent's findings are stored, also of a guard that the control plane does not know", async () => {
  await using at = await setUpGuards();
  const findings = [
    { name: "too_blue", message: "It is too blue", severity: "warning" as const },
    { name: "shrink", message: SHRINKING, severity: "critical" as const },
  ];
  const id = await at.store({ findings, guards_checked: ["too_blue", ...Object.keys(DEFAULT_ACTIONS)] });
  const [row] = await at.database`select findings, suspicion from backups where id = ${id}`;
  assert.deepEqual({ ...row }, { findings, suspicion: SHRINKING });
  await clearSuspicion(at.services, at.caller, id);
  const [cleared] = await at.database`select findings, suspicion from backups where id = ${id}`;
  assert.deepEqual({ ...cleared }, { findings, suspicion: null });
});

Deno.test("a run that took too long is noted, also of an older agent and after its backups were removed", async () => {
  await using at = await setUpGuards({ maximum_backups_to_keep: 1 });
  const minutes = (count: number) => ({ duration_ms: count * 60_000 });
  for (let i = 0; i < 5; i++) await at.store();
  await at.database`update runs set started_at = finished_at - interval '10 minutes'`;
  // An older agent reports the results of only two guards. Here, neither guard found anything.
  const known = { suspicion: null, shrinking: null };
  const [long, ordinary] = [
    await at.store({ ...known, ...minutes(45) }),
    await at.store({ ...known, ...minutes(12) }),
  ];
  const rows = await at.database`
    select id, findings, suspicious_at from backups where id >= ${long} order by id`;
  assert.deepEqual(rows.map(({ id, findings, suspicious_at }) => [id, findings.length, suspicious_at]), [
    [long, 1, null],
    [ordinary, 0, null],
  ]);
  const [{ name, message, severity }] = rows[0]!.findings;
  assert.deepEqual([name, severity], ["too_long", "warning"]);
  assert.match(message, /^It took 45 min, 4\.5 times the median of the last 5 runs \(10 min\)/);
  // A backup that took too long is not suspicious, so retention still removes older backups.
  assert.deepEqual(
    (await at.database`select id from backups where removal_requested_at is null`).map(({ id }) => id),
    [ordinary],
  );
  const guards = await at.backUp();
  assert.equal(guards!.runs!.runs_count, 7);
  assert.equal(guards!.actions!.too_long, "warn");
});
