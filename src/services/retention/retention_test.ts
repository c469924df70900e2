/** Tests which backups are marked for removal when a run has stored a new backup. */
import assert from "node:assert/strict";
import { type TestServices, testServices } from "../../../tests/support/fixtures/database.ts";
import { event, success } from "../../../tests/support/clients/events.ts";
import { plant, type Planted } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { ConflictError } from "../../domain/errors.ts";
import { transaction } from "../../store/database/database.ts";
import { deleteBackup, holdBackup } from "../backups/backups.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { requestRetention } from "./removals.ts";

const HOUR = 3_600_000;

interface Stage extends Planted {
  test: TestServices;
  /** Runs the task once and returns the id of its backup. */
  store(): Promise<number>;
  /** Returns the ids of the stored backups that are not marked for removal. */
  left(): Promise<number[]>;
}

async function stage(test: TestServices, task: Record<string, unknown>): Promise<Stage> {
  const { services, database } = test;
  const planted = await plant(services, task);
  return {
    ...planted,
    test,
    async store() {
      await startRun(services, planted.caller, planted.taskId);
      const [run] = await claimAssignments(services, [planted.serverId]);
      await recordEvents(services, [
        event(planted.serverId, run!, 1, { kind: "accepted" }),
        event(planted.serverId, run!, 2, success()),
      ]);
      const [row] = await database<{ id: number }[]>`select max(id) as id from backups`;
      return row!.id;
    },
    async left() {
      const rows = await database<{ id: number }[]>`
        select id from backups where removal_requested_at is null order by id`;
      return rows.map(({ id }) => id);
    },
  };
}

Deno.test("a new backup marks those that no rule of its task keeps, by the days of the task's time zone", async () => {
  await using test = await testServices({ now: "2026-03-28T12:00:00Z" });
  const { store, left } = await stage(test, { keep_daily: 2, timezone: "Europe/Berlin" });
  const stored: number[] = [];
  // In Berlin, the backups are made on Saturday at 13:00 and 22:00, and on Sunday at 08:00, 17:00 and
  // 23:30. This Sunday has 23 hours. The last backup, below, is made on Monday at 00:30.
  for (const hours of [9, 9, 9, 6.5, 1]) {
    stored.push(await store());
    await test.clock.advance(hours * HOUR);
  }
  assert.deepEqual(await left(), [stored[1], stored[4]]);
  const last = await store();
  assert.deepEqual(await left(), [stored[4], last]);
  // The audit log shows that retention, and not a user, deleted the backups.
  const entries = await test.database`
    select actor, resource_id from audit_log where action = 'deleteBackup' order by id`;
  assert.deepEqual(
    entries.map(({ actor, resource_id }) => [actor, resource_id]),
    [0, 2, 3, 1].map((each) => ["system", stored[each]]),
  );
});

Deno.test("a held backup stays, and does not count towards the rules", async () => {
  await using test = await testServices();
  const { caller, store, left } = await stage(test, { keep_last: 2 });
  const first = await store();
  await holdBackup(test.services, caller, first, "the last of the old server");
  const [second, third] = [await store(), await store()];
  assert.deepEqual(await left(), [first, second, third]);
  const fourth = await store();
  assert.deepEqual(await left(), [first, third, fourth]);
});

Deno.test("a suspicious or damaged backup keeps older ones from being marked, run after run", async () => {
  for (const flag of ["suspicious_at", "damaged_at"]) {
    await using test = await testServices();
    const { store, left } = await stage(test, { maximum_backups_to_keep: 2 });
    const [first, second, third] = [await store(), await store(), await store()];
    assert.deepEqual(await left(), [second, third]);
    await test.database`update backups set ${
      test.database({ [flag]: test.clock.now() })
    } where id = ${third}`;
    const later = [await store(), await store(), await store()];
    assert.deepEqual(await left(), [second, third, later[1], later[2]], flag);
    assert.ok(first < second);
  }
});

Deno.test("no backup younger than the task's minimum age is marked", async () => {
  await using test = await testServices();
  const { store, left } = await stage(test, { keep_last: 1, minimum_age_days: 2 });
  const first = await store();
  await test.clock.advance(24 * HOUR);
  const second = await store();
  assert.deepEqual(await left(), [first, second]);
  await test.clock.advance(24 * HOUR);
  assert.deepEqual([await store(), ...await left()].slice(1), [second, second + 1]);
});

Deno.test("of a hold and a removal at the same time, the hold wins", async () => {
  await using test = await testServices();
  const { caller, taskId } = await stage(test, {});
  for (let round = 0; round < 10; round++) {
    const id = await newBackup(test.database, taskId, test.clock.now());
    const [held, deleted] = await Promise.allSettled([
      holdBackup(test.services, caller, id, null),
      deleteBackup(test.services, caller, id),
    ]);
    // Either order is possible. If the hold came second, it removed the mark for removal. If the removal came
    // second, it was refused.
    assert.equal(held.status, "fulfilled");
    const isRefused = deleted.status === "rejected" && deleted.reason instanceof ConflictError;
    assert.ok(isRefused || deleted.status === "fulfilled", Deno.inspect(deleted));
    const [row] = await test.database`select held_at, removal_requested_at from backups where id = ${id}`;
    assert.deepEqual([row!.held_at === null, row!.removal_requested_at], [false, null]);
  }
});

Deno.test("the database itself refuses to mark a held backup", async () => {
  await using test = await testServices();
  const { caller, taskId } = await stage(test, {});
  const id = await newBackup(test.database, taskId, test.clock.now());
  await holdBackup(test.services, caller, id, null);
  const mark = transaction(
    test.database,
    (sql) =>
      sql`update backups set removal_requested_at = now(), removal_reason = 'retention' where id = ${id}`,
  );
  await assert.rejects(mark, /violates check constraint/);
});

Deno.test("if two backups are recorded at the same moment, no more stay than the rules say", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { left, taskId } = await stage(test, { maximum_backups_to_keep: 1 });
  const gate = Promise.withResolvers<void>();
  let decided = 0;
  const record = () =>
    transaction(database, async (sql) => {
      await newBackup(sql as unknown as typeof database, taskId, test.clock.now());
      await requestRetention(services, sql, taskId);
      decided++;
      await gate.promise;
    });
  const both = Promise.all([record(), record()]);
  await until(async () => {
    const waiting = await database`
      select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`;
    return decided + waiting.length === 2;
  });
  gate.resolve();
  await both;
  assert.equal((await left()).length, 1);
});
