/** Tests when tasks become late, and the messages about late tasks. */
import assert from "node:assert/strict";
import { event, failure, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { newRun } from "../../../tests/support/fixtures/records.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { endOverdueRuns } from "../runs/run_deadlines.ts";
import { recordEvents } from "../runs/run_events.ts";
import { watchOverdueRuns } from "../runs/run_watch.ts";
import { startRun } from "../runs/runs.ts";
import { watchAgents } from "../runs/standing_watch.ts";
import { disconnectAgent } from "../servers/connections.ts";
import { pauseBackupTask, resumeBackupTask, showBackupTask, updateBackupTask } from "./backup_tasks.ts";
import { watchProtection } from "./protection.ts";
import { fireDueTasks } from "./schedules.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Returns the report of a successful run that took no time. */
function quickSuccess() {
  const report = structuredClone(success());
  assert.ok("verdict" in report && "backup" in report.verdict && report.verdict.backup !== undefined);
  report.verdict.backup.duration_ms = 0;
  return report;
}

/** Creates a task that is due daily at 01:00. The clock shows Monday, 2026-01-05, 12:00. */
async function stage() {
  const test = await testServices();
  const { services, database } = test;
  const at = await plant(services, { label: "Home" });
  await newStream(services, { userId: at.caller.userId, taskId: at.taskId }, { on_success: false });
  let seen = 0;
  const newMessages = async () => {
    const rows = await database<{ id: number; event: NotificationEvent }[]>`
      select id, event from notification_deliveries where id > ${seen} order by id`;
    seen = rows.at(-1)?.id ?? seen;
    return rows.map(({ event }) => event);
  };
  const finish = async (runId: number, outcome: "succeeded" | "failed") => {
    const { connection } = await sayHello(services, at.serverId);
    await claimAssignments(services, [at.serverId]);
    const verdict = outcome === "succeeded" ? quickSuccess() : failure("The disk is gone.");
    for (const [index, what] of [{ kind: "accepted" as const }, verdict].entries()) {
      await recordEvents(services, [event(at.serverId, { runId, attempt: 1 } as never, index + 1, what)]);
    }
    await disconnectAgent(services, connection);
  };
  return {
    ...test,
    at,
    newMessages,
    finish,
    names: async () => (await newMessages()).map(({ event }) => event),
    backUp: async (outcome: "succeeded" | "failed" = "succeeded") =>
      await finish((await startRun(services, at.caller, at.taskId)).runId, outcome),
    watch: () => watchProtection(services),
    protection: async () => (await showBackupTask(services, at.caller, at.taskId)).protection,
  };
}

Deno.test("a task whose scheduler stands still is reported as late once, then daily, and its recovery once", async () => {
  await using test = await stage();
  const { clock, watch, names, protection } = test;
  await test.backUp();
  assert.equal((await protection()).status, "protected");
  assert.deepEqual((await protection()).late_at, new Date("2026-01-06T07:00:00Z"));
  await clock.advance(18 * HOUR + 59 * MINUTE);
  await watch();
  assert.deepEqual(await names(), []);
  await clock.advance(MINUTE);
  for (let i = 0; i < 3; i++) await watch();
  const [late, ...more] = await test.newMessages();
  assert.deepEqual(more, []);
  assert.deepEqual([late!.event, late!.task?.label, late!.server?.label], ["backup.late", "Home", "server"]);
  assert.equal(late!.reason, "The newest backup is 19 h old. A backup was promised by 2026-01-06T07:00:00Z.");
  assert.equal((await protection()).status, "late");
  await clock.advance(22 * HOUR);
  await watch();
  assert.deepEqual(await names(), []);
  await clock.advance(HOUR);
  await watch();
  assert.deepEqual(await names(), ["backup.late"]);
  await test.backUp();
  assert.deepEqual(await names(), ["backup.recovered"]);
  await watch();
  assert.deepEqual(await names(), []);
  assert.equal((await protection()).status, "protected");
});

Deno.test("a task without any backup is reported after its first due time", async () => {
  await using test = await stage();
  const { clock, watch, names, protection } = test;
  await watch();
  assert.deepEqual(await names(), []);
  assert.deepEqual([(await protection()).status, (await protection()).late_at], [
    "never_backed_up",
    new Date("2026-01-06T07:00:00Z"),
  ]);
  await clock.advance(19 * HOUR);
  await watch();
  const [late] = await test.newMessages();
  assert.equal(
    late!.reason,
    "No backup of this task can be restored yet. A backup was promised by 2026-01-06T07:00:00Z.",
  );
});

Deno.test("a task is failing while its newest backup is recent enough, and late when it no longer is", async () => {
  await using test = await stage();
  const { clock, watch, names, protection } = test;
  await test.backUp();
  await test.backUp("failed");
  assert.deepEqual([(await protection()).status, (await protection()).reason], [
    "failing",
    "The last run failed: The disk is gone.",
  ]);
  assert.deepEqual(await names(), ["backup.failed"]);
  await clock.advance(19 * HOUR);
  await watch();
  assert.deepEqual(await names(), ["backup.late"]);
  const { reason, status } = await protection();
  assert.deepEqual([status, reason], [
    "late",
    "The newest backup is 19 h old. The last run failed: The disk is gone.",
  ]);
  // The last run has failed, and the task is late. One message reports that both problems are over.
  await test.backUp();
  assert.deepEqual(await names(), ["backup.recovered"]);
});

Deno.test("a damaged or deleted backup does not protect, nor does one of another source", async () => {
  await using test = await stage();
  const { clock, database, protection, services, at, watch } = test;
  await test.backUp();
  await clock.advance(HOUR);
  await test.backUp();
  const [first, second] = (await database`select id from backups order by id`).map(({ id }) => id);
  assert.equal((await protection()).newest_backup_id, second);
  await database`update backups set damaged_at = ${clock.now()}, damage_reason = 'bad' where id = ${second}`;
  assert.equal((await protection()).newest_backup_id, first);
  await database`
    update backups set removal_requested_at = ${clock.now()}, removal_reason = 'request' where id = ${first}`;
  assert.equal((await protection()).status, "never_backed_up");
  await database`update backups set damaged_at = null, damage_reason = null`;
  assert.equal((await protection()).status, "protected");
  await clock.advance(MINUTE);
  await updateBackupTask(services, at.caller, at.taskId, { source_path: "/other" });
  assert.equal((await protection()).status, "never_backed_up");
  await watch();
  await clock.advance(MINUTE);
  await test.backUp();
  assert.equal((await protection()).status, "protected");
});

Deno.test("the promise begins anew with a schedule and after a pause, and max_age counts at once", async () => {
  await using test = await stage();
  const { clock, services, at, protection, watch, names } = test;
  await test.backUp();
  await clock.advance(10 * MINUTE);
  await updateBackupTask(services, at.caller, at.taskId, { custom_cron_expression: "0 * * * *" });
  assert.deepEqual((await protection()).late_at, new Date("2026-01-05T13:15:00Z"));
  await pauseBackupTask(services, at.caller, at.taskId);
  await clock.advance(3 * DAY);
  await watch();
  assert.deepEqual(await names(), []);
  assert.deepEqual([(await protection()).status, (await protection()).late_at], ["paused", null]);
  await resumeBackupTask(services, at.caller, at.taskId);
  await watch();
  assert.deepEqual(await names(), []);
  assert.deepEqual((await protection()).late_at, new Date("2026-01-08T13:15:00Z"));
  await updateBackupTask(services, at.caller, at.taskId, { max_age: 3600 });
  await watch();
  assert.deepEqual(await names(), ["backup.late"]);
  // With the longer maximum age, the task is no longer late. No message reports this.
  await updateBackupTask(services, at.caller, at.taskId, { max_age: 7 * 86_400 });
  await watch();
  assert.deepEqual(await names(), []);
});

Deno.test("an intermittent server that is asleep is not reported, and its due run waits until it is back", async () => {
  await using test = await stage();
  const { clock, services, protection, database, names, watch } = test;
  await database`update remote_servers set class = 'intermittent', agent_key_hash = 'x'`;
  await test.backUp();
  await database`update backup_tasks set next_run_at = '2026-01-06T01:00:00Z'`;
  const since = clock.now();
  for (let day = 0; day < 6; day++) {
    await clock.advance(DAY);
    await fireDueTasks(services);
    await watchOverdueRuns(services);
    await endOverdueRuns(services);
    await watchAgents(services, since);
    await watch();
    assert.deepEqual(await names(), [], `day ${day}`);
  }
  assert.equal((await protection()).status, "protected");
  const runs = await database<{ id: number; state: string }[]>`
    select id, state from runs where state <> 'succeeded'`;
  assert.deepEqual(runs.map(({ state }) => state), ["queued"]);
  // The agent connects for a moment, and makes up for the missed due times with one run.
  await test.finish(runs[0]!.id, "succeeded");
  await watch();
  assert.deepEqual(await names(), []);
  await clock.advance(8 * DAY);
  await watch();
  assert.deepEqual(await names(), ["backup.late"]);
});

Deno.test("a restore does not wait for an intermittent server beyond its deadline", async () => {
  await using test = await stage();
  const { clock, services, at, database } = test;
  await database`update remote_servers set class = 'intermittent', agent_key_hash = 'x'`;
  await test.backUp();
  const [backup] = await database<{ id: number }[]>`select id from backups`;
  const restore = { kind: "restore", state: "queued", backup_id: backup!.id };
  const id = await newRun(database, at.taskId, clock.now(), restore);
  await clock.advance(DAY + MINUTE);
  await endOverdueRuns(services);
  const [run] = await database`select state from runs where id = ${id}`;
  assert.equal(run!.state, "failed");
});
