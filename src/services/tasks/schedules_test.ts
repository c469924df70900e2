import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { fireDueTasks, nextDueTime, replanSchedules } from "./schedules.ts";
import { cancelRun } from "../runs/runs.ts";

const due = (time: string) => ({ next_run_at: new Date(time) });

Deno.test("a due time fires once, however many look at the same moment", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { services, clock, database } = test;
  for (let i = 0; i < 20; i++) await plant(services, due("2026-01-05T01:00:00Z"));
  assert.equal(await fireDueTasks(services), 0);
  await clock.advance(60_000);
  const counts = await Promise.all(Array.from({ length: 6 }, () => fireDueTasks(services)));
  assert.equal(counts.reduce((a, b) => a + b), 20);
  assert.equal(await fireDueTasks(services), 0);
  const runs = await database`select backup_task_id, trigger, scheduled_for, state from runs`;
  assert.equal(runs.length, 20);
  assert.equal(new Set(runs.map((run) => run.backup_task_id)).size, 20);
  for (const run of runs) {
    assert.equal(run.trigger, "schedule");
    assert.deepEqual(run.scheduled_for, new Date("2026-01-05T01:00:00Z"));
    assert.equal(run.state, "queued");
  }
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-06T01:00:00Z"));
});

Deno.test("due times missed in a downtime are one catch-up run", async () => {
  await using test = await testServices({ now: "2026-01-20T12:00:00Z" });
  const { services, database } = test;
  await plant(services, due("2026-01-05T01:00:00Z"));
  assert.equal(await fireDueTasks(services), 1);
  assert.equal(await fireDueTasks(services), 0);
  assert.equal((await database`select * from runs`).length, 1);
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-21T01:00:00Z"));
});

Deno.test("a due time that comes while the task's run is active is recorded as skipped", async () => {
  await using test = await testServices({ now: "2026-01-05T01:00:00Z" });
  const { services, clock, database } = test;
  const { caller, taskId, serverId } = await plant(services, due("2026-01-05T01:00:00Z"));
  await fireDueTasks(services);
  await claimAssignments(services, [serverId]);
  await clock.advance(24 * 3_600_000);
  await fireDueTasks(services);
  const [run] = await database`select id from runs`;
  const skipped = await database`select * from skipped_schedules`;
  assert.equal(skipped.length, 1);
  assert.deepEqual(skipped[0]!.due_at, new Date("2026-01-06T01:00:00Z"));
  assert.equal(skipped[0]!.active_run_id, run!.id);
  // When the active run is over, the next due time fires again.
  await cancelRun(services, caller, taskId);
  await database`update runs set state = 'cancelled', finished_at = now(), deadline_at = null`;
  await clock.advance(24 * 3_600_000);
  await fireDueTasks(services);
  assert.equal((await database`select * from runs where state = 'queued'`).length, 1);
});

Deno.test("a task that was edited on a clock that was ahead does not wait for it either", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { services, database } = test;
  const { taskId } = await plant(services, due("2026-01-05T03:00:00Z"));
  await plant(services, due("2026-01-06T01:00:00Z"));
  await database`update backup_tasks set updated_at = '2027-03-01T12:00:00Z', next_run_at = '2027-03-02T01:00:00Z'
    where id = ${taskId}`;
  // The tasks were changed shortly after their last due time; then the clock went back by some seconds.
  await database`update backup_tasks set updated_at = '2026-01-05T01:00:02Z' where id <> ${taskId}`;
  await database`update backup_tasks set planned_at = updated_at`;
  await test.clock.set("2026-01-05T00:59:58Z");
  assert.equal(await replanSchedules(services), 1);
  const rows = await database<{ next_run_at: Date }[]>`select next_run_at from backup_tasks order by id`;
  assert.deepEqual(rows.map((row) => row.next_run_at.toISOString()), [
    "2026-01-05T01:00:00.000Z",
    "2026-01-06T01:00:00.000Z",
  ]);
});

Deno.test("paused tasks are not fired", async () => {
  await using test = await testServices({ now: "2026-01-05T01:00:00Z" });
  const { services } = test;
  await plant(services, { ...due("2026-01-05T01:00:00Z"), paused_at: new Date("2026-01-01T00:00:00Z") });
  assert.equal(await fireDueTasks(services), 0);
});

Deno.test("a clock that was ahead leaves no schedule waiting for it, and fires nothing twice", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { services, clock, database } = test;
  await plant(services, due("2026-01-05T01:00:00Z"));
  await plant(services, { ...due("2026-01-05T01:00:00Z"), paused_at: clock.now() });
  await clock.set("2027-03-01T12:00:00Z");
  await fireDueTasks(services);
  await clock.set("2026-01-05T00:59:30Z");
  assert.equal(await replanSchedules(services), 1);
  assert.equal(await replanSchedules(services), 0);
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-06T01:00:00Z"));
  await database`update runs set state = 'failed', finished_at = now(), deadline_at = null`;
  await clock.set("2026-01-06T01:00:00Z");
  assert.equal(await fireDueTasks(services), 1);
  const runs = await database`select scheduled_for from runs order by id`;
  assert.deepEqual(runs.map(({ scheduled_for }) => scheduled_for), [
    new Date("2026-01-05T01:00:00Z"),
    new Date("2026-01-06T01:00:00Z"),
  ]);
});

const EACH_MINUTE = { frequency: null, time_to_run_at: null, custom_cron_expression: "* * * * *" };

/**
 * Fires the due tasks and ends their runs, because an active run would cause the next due time to be skipped.
 */
async function fireAndEnd({ database, services }: Awaited<ReturnType<typeof testServices>>) {
  await fireDueTasks(services);
  await database`update runs set state = 'failed', finished_at = now(), deadline_at = null where finished_at is null`;
}

Deno.test("what was fired for tomorrow, on a clock a day ahead, leaves no due time out once it is right", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { services, clock, database } = test;
  await plant(services, { ...EACH_MINUTE, ...due("2026-01-05T01:00:00Z") });
  await clock.set("2026-01-06T00:59:10Z");
  await fireAndEnd(test); // fires one run for all minutes until then
  await clock.set("2026-01-06T01:00:00Z");
  await fireAndEnd(test);
  await clock.set("2026-01-05T01:00:10Z");
  assert.equal(await replanSchedules(services), 1);
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-05T01:01:00Z"));
  const runs = await database`select scheduled_for from runs order by id`;
  assert.deepEqual(runs.map(({ scheduled_for }) => scheduled_for.toISOString()), [
    "2026-01-05T01:00:00.000Z",
    "2026-01-06T01:00:00.000Z",
  ]);
});

Deno.test("a backup made a day too early does not replace the one of its due time", async () => {
  await using test = await testServices({ now: "2026-01-05T12:00:00Z" });
  const { services, clock } = test;
  await plant(services, due("2026-01-06T01:00:00Z"));
  await clock.set("2026-01-06T12:00:00Z");
  await fireAndEnd(test);
  await clock.set("2026-01-05T12:01:00Z");
  assert.equal(await replanSchedules(services), 1);
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-06T01:00:00Z"));
  await clock.set("2026-01-06T01:00:00Z");
  assert.equal(await fireDueTasks(services), 1);
});

Deno.test("a due time that was skipped on a clock far ahead is not over", async () => {
  await using test = await testServices({ now: "2026-01-05T00:59:00Z" });
  const { services, clock } = test;
  await plant(services, due("2026-01-05T01:00:00Z"));
  await clock.set("2026-02-05T01:00:00Z");
  await fireDueTasks(services);
  await clock.set("2026-02-06T01:00:00Z");
  await fireDueTasks(services); // skipped: the run is active
  await clock.set("2026-01-05T01:00:30Z");
  assert.equal(await replanSchedules(services), 1);
  assert.deepEqual(await nextDueTime(services), new Date("2026-01-06T01:00:00Z"));
});

Deno.test("a stored schedule that can't be read stops no other one, goes on by days and is told of", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const due = { next_run_at: "2026-01-05T12:00:00Z" };
  const gone = await plant(services, { ...due, timezone: "Nowhere/Gone" });
  const cron = { frequency: null, time_to_run_at: null, custom_cron_expression: "nonsense" };
  const nonsense = await plant(services, { ...due, ...cron });
  const whole = await plant(services, due);
  for (const { caller, taskId } of [gone, nonsense]) {
    await newStream(services, { userId: caller.userId, taskId });
  }
  while (await fireDueTasks(services) > 0);
  assert.equal((await database`select from runs`).length, 3);
  const next = async ({ taskId }: { taskId: number }) =>
    (await database`select next_run_at from backup_tasks where id = ${taskId}`)[0]!.next_run_at.toISOString();
  assert.equal(await next(whole), "2026-01-06T01:00:00.000Z");
  assert.equal(await next(gone), "2026-01-06T01:00:00.000Z");
  assert.equal(await next(nonsense), "2026-01-06T12:00:00.000Z");
  const told = async () =>
    (await database`select event->>'event' as name, event->>'reason' as reason from notification_deliveries order by id`)
      .map(({ name, reason }) => `${name}: ${reason}`);
  assert.deepEqual(
    (await told()).map((line) => line.slice(0, 50)),
    [
      "schedule.broken: The time zone Nowhere/Gone is not",
      "schedule.broken: The schedule can't be parsed (inv",
    ].map((line) => line.slice(0, 50)),
  );
  assert.equal(await replanSchedules(services), 0);
  // Once its schedule is repaired, the task runs again.
  await database`update backup_tasks set timezone = 'UTC' where id = ${gone.taskId}`;
  await clock.set("2026-01-06T13:00:00Z");
  while (await fireDueTasks(services) > 0);
  const open =
    await database`select subject from alerts where closed_at is null and kind = 'schedule.broken'`;
  assert.deepEqual(open.map(({ subject }) => subject), [`task ${nonsense.taskId}`]);
});
