import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { newBackup, newRun } from "../../../tests/support/fixtures/records.ts";
import { usualStats } from "./backup_history.ts";

async function history() {
  const test = await testServices();
  const { services, clock, database } = test;
  const { taskId } = await plant(services);
  return {
    database,
    clock,
    taskId,
    usual: () => usualStats(database, taskId),
    async store(fields: Record<string, unknown> = {}): Promise<number> {
      await clock.advance(3_600_000);
      return await newBackup(database, taskId, clock.now(), fields);
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

Deno.test("each usual value is its own median, from the third backup on", async () => {
  await using at = await history();
  await at.store({ size: 100, bytes_read: 1000, files_count: 1, incompressible_share: 0.5 });
  await at.store({ size: 900, bytes_read: 3000, files_count: 9, incompressible_share: 0.1 });
  assert.equal(await at.usual(), null);
  await at.store({ size: 200, bytes_read: 2000, files_count: 2, incompressible_share: 0.2 });
  assert.deepEqual({ ...await at.usual() }, {
    backups_count: 3,
    size: 200,
    bytes_read: 2000,
    files_count: 2,
    incompressible_share: 0.2,
    compression: 0.1,
  });
  await at.store({ size: 300, bytes_read: 2001, files_count: 3, incompressible_share: 0.4 });
  const { size, bytes_read, files_count, incompressible_share } = (await at.usual())!;
  assert.deepEqual([size, bytes_read, files_count], [250, 2000.5, 2.5]);
  assert.ok(Math.abs(incompressible_share! - 0.3) < 1e-9);
});

Deno.test("only the last seven backups count", async () => {
  await using at = await history();
  for (let i = 0; i < 7; i++) await at.store({ size: 1 });
  for (const size of [2, 3, 4, 5]) await at.store({ size });
  const { backups_count, size } = (await at.usual())!;
  assert.deepEqual([backups_count, size], [7, 2]);
});

Deno.test("values that too few backups have are null, and the others are still known", async () => {
  await using at = await history();
  const database = { files_count: null, incompressible_share: null };
  for (let i = 0; i < 3; i++) await at.store(database);
  for (let i = 0; i < 2; i++) await at.store({ ...database, incompressible_share: 0.1 });
  const usual = (await at.usual())!;
  assert.deepEqual([usual.size, usual.files_count, usual.incompressible_share], [1000, null, null]);
});

Deno.test("backups that are suspicious, being removed or another task's do not count", async () => {
  await using at = await history();
  for (let i = 0; i < 3; i++) await at.store({ size: 10 });
  const now = at.clock.now();
  const removal = { removal_requested_at: now, removal_reason: "request", next_removal_at: now };
  for (let i = 0; i < 4; i++) await at.store({ size: 99, suspicious_at: now, suspicion: "Possible" });
  for (let i = 0; i < 4; i++) await at.store({ size: 99, ...removal });
  for (let i = 0; i < 4; i++) await at.store({ size: 99, backup_task_id: null });
  const { backups_count, size } = (await at.usual())!;
  assert.deepEqual([backups_count, size], [3, 10]);
});

Deno.test("a changed source has no history, and neither do runs that began before the change", async () => {
  await using at = await history();
  const { database, clock, taskId } = at;
  for (let i = 0; i < 3; i++) await at.store();
  await clock.advance(1000);
  const run_id = await newRun(database, taskId, clock.now());
  await database`
    insert into run_attempts (run_id, attempt, leased_at) values (${run_id}, 1, ${clock.now()})`;
  await clock.advance(1000);
  await database`update backup_tasks set source_changed_at = ${clock.now()} where id = ${taskId}`;
  await at.store({ run_id });
  await at.store();
  await at.store();
  assert.equal(await at.usual(), null);
  await at.store();
  assert.equal((await at.usual())!.backups_count, 3);
});
