import assert from "node:assert/strict";
import { testServices } from "../../tests/support/fixtures/database.ts";
import { plant } from "../../tests/support/fixtures/planted.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { Scheduler } from "./scheduler.ts";

Deno.test("a clock that is set back corrects the schedule", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { clock, database, services } = test;
  await plant(services, { next_run_at: new Date("2026-01-05T01:00:00Z") });
  const next = async () =>
    (await database`select next_run_at from backup_tasks`)[0]!.next_run_at.toISOString();
  const scheduler = new Scheduler(services);
  scheduler.start();
  await until(() => clock.sleeping >= 2);
  await clock.set("2026-03-05T12:00:00Z");
  await until(async () => await next() === "2026-03-06T01:00:00.000Z");
  await until(() => clock.sleeping >= 2);
  await clock.set("2026-01-05T01:30:00Z");
  // The clock has gone back to January. When the scheduler polls, it corrects the due time.
  await clock.advance(30_000);
  await until(async () => await next() === "2026-01-06T01:00:00.000Z");
  await scheduler.stop();
  assert.equal((await database`select from runs`).length, 1);
});

Deno.test("another control plane corrects what was planned on a clock that was ahead before a crash", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { database, services } = test;
  await plant(services, { next_run_at: new Date("2026-01-05T01:00:00Z") });
  const scheduler = new Scheduler(services);
  scheduler.start();
  await until(() => test.clock.sleeping >= 2);
  await database`update backup_tasks set planned_at = '2027-01-05T00:00:00Z', next_run_at = '2027-01-05T01:00:00Z'`;
  await test.clock.advance(30_000);
  await until(async () => {
    const [task] = await database`select next_run_at from backup_tasks`;
    return task!.next_run_at.toISOString() === "2026-01-05T01:00:00.000Z";
  });
  await scheduler.stop();
});
