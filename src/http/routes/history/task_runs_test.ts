import assert from "node:assert/strict";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("a task's history has the durations, sizes and outcomes of its ended backup runs", async () => {
  await using api = await testApi();
  const { database } = api;
  const client = await api.user();
  const task = await newTask(client);
  const at = (time: string) => new Date(`2026-01-02T${time}Z`);
  const ended = { started_at: at("10:00:05"), finished_at: at("10:02:05") };
  const stored = { bytes_read: 5000, bytes_written: 900, files_count: 7 };
  const run = (fields: Record<string, unknown>) => newRun(database, task, at("10:00:00"), fields);
  const deleted = await run({ ...ended, ...stored });
  const warned = await run({ ...ended, ...stored, warnings_count: 2, trigger: "schedule" });
  const backup = await newBackup(database, task, at("10:02:05"), { run_id: warned, size: 900 });
  const never = await run({ state: "failed", reason: "No agent took it.", started_at: null });
  const failed = await run({ state: "lost", ...ended, bytes_read: 4000, bytes_written: 800 });
  const script = await run({ state: "failed", ...ended, ...stored, reason: "A script failed." });
  await newBackup(database, task, at("10:02:05"), { run_id: script, size: 850 });
  const cancelled = await run({ state: "cancelled", ...ended });
  await run({ state: "running" });
  await run({ kind: "drill" });
  const show = async (query = "") =>
    (await client.call("GET", `/api/backup-tasks/${task}/history${query}`)).body;
  const { data } = await show();
  assert.deepEqual(data[1], {
    id: warned,
    created_at: "2026-01-02T10:00:00Z",
    started_at: "2026-01-02T10:00:05Z",
    finished_at: "2026-01-02T10:02:05Z",
    duration_ms: 120_000,
    outcome: "warnings",
    trigger: "schedule",
    read_bytes: 5000,
    stored_bytes: 900,
    files_count: 7,
    warnings_count: 2,
    backup_id: backup,
    reason: null,
  });
  const short = (each: Record<string, unknown>) => [
    each.id,
    each.outcome,
    each.duration_ms,
    each.stored_bytes,
    each.backup_id === null,
  ];
  assert.deepEqual(data.map(short), [
    [deleted, "succeeded", 120_000, 900, true],
    [warned, "warnings", 120_000, 900, false],
    [never, "failed", null, 0, true],
    [failed, "failed", 120_000, 0, true],
    [script, "failed", 120_000, 850, false],
    [cancelled, null, 120_000, 0, true],
  ]);
  assert.deepEqual((await show("?limit=2")).data.map(short).map(([id]: unknown[]) => id), [
    script,
    cancelled,
  ]);
  assert.deepEqual(Object.keys((await show("?limit=201")).errors), ["limit"]);
});

Deno.test("strips have the last outcomes of the workspace's tasks, also of tasks without runs", async () => {
  await using api = await testApi();
  const { clock, database } = api;
  const client = await api.user();
  const stranger = await api.user();
  const [task, empty, foreign] = [await newTask(client), await newTask(client), await newTask(stranger)];
  for (let count = 0; count < 31; count++) await newRun(database, task, clock.now());
  const failed = await newRun(database, task, clock.now(), { state: "failed" });
  const last = await newRun(database, task, clock.now(), { state: "cancelled" });
  await newRun(database, task, clock.now(), { state: "queued" });
  await newRun(database, foreign, clock.now());
  const strips = async (query = "") => (await client.call("GET", `/api/history/strips${query}`)).body;
  const { data } = await strips();
  assert.deepEqual(data.map((each: Record<string, unknown>) => each.backup_task_id), [task, empty]);
  assert.deepEqual([data[0].runs.length, data[1].runs], [30, []]);
  const created_at = `${clock.now().toISOString().slice(0, 19)}Z`;
  assert.deepEqual(data[0].runs.slice(-2), [
    { id: failed, outcome: "failed", created_at },
    { id: last, outcome: "cancelled", created_at },
  ]);
  assert.deepEqual((await strips(`?ids=${task},${foreign},99999&limit=1`)).data, [
    { backup_task_id: task, runs: [{ id: last, outcome: "cancelled", created_at }] },
  ]);
  for (const wrong of ["ids=1,", "ids=a", "ids=0", "limit=31", "ids="]) {
    const { errors } = await strips(`?${wrong}`);
    assert.deepEqual(Object.keys(errors), [wrong.split("=")[0]], wrong);
  }
});
