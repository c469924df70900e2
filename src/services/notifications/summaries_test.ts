import assert from "node:assert/strict";
import { event, failure, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { HttpReceiver } from "../../../tests/support/servers/receivers.ts";
import type { RunEvent } from "../../protocol/wire_messages.ts";
import { Notifier } from "../../notify/notifier.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";
import { createNotificationStream, updateNotificationStream } from "./notification_streams.ts";
import { writeDeliveries } from "./alerts.ts";
import { sendSummaries } from "./summaries.ts";

const HOUR = 3_600_000;

/** Creates a task. The clock shows 12:00 UTC on a Monday. In Berlin, it is 13:00. */
async function setUp() {
  const test = await testServices();
  const { clock, database, services } = test;
  const at = await plant(services, { label: "Home" });
  await database`update users set timezone = 'Europe/Berlin'`;
  const receiver = new HttpReceiver();
  let taken = 0;
  const notifier = new Notifier({ ...services, smtp: null });
  return {
    ...test,
    at,
    receiver,
    async stream(fields: Record<string, unknown>) {
      const input = { label: "x", type: "webhook", value: "https://example.test/hook", ...fields };
      const { id } = await createNotificationStream(services, at.caller, input);
      const value = services.keyring.encrypt(receiver.url);
      await database`update notification_streams set value_encrypted = ${value} where id = ${id}`;
      return id;
    },
    async run(how: RunEvent) {
      await startRun(services, at.caller, at.taskId);
      const [run] = await claimAssignments(services, [at.serverId]);
      await recordEvents(services, [event(at.serverId, run!, 1, { kind: "accepted" })]);
      await recordEvents(services, [event(at.serverId, run!, 2, how)]);
    },
    pass: (hours: number) => clock.advance(hours * HOUR),
    async sent() {
      await sendSummaries(services);
      await notifier.deliverDue();
      const bodies = receiver.received.slice(taken).map(({ body }) => body);
      taken = receiver.received.length;
      return bodies;
    },
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a daily summary says what is protected, what ran, what is stored and what was proven", async () => {
  await using test = await setUp();
  await test.stream({ notifications: { on_success: false, on_failure: false }, summary: "daily" });
  await test.run(success({ warnings_count: 2 }));
  await test.run(failure("The source /data is empty."));
  assert.deepEqual(await test.sent(), []);
  await test.pass(19);
  const [body, ...more] = await test.sent();
  assert.deepEqual(more, []);
  const { counts, tasks, ...summary } = body.summary;
  assert.deepEqual([body.event, body.occurred_at, body.task], ["summary", "2026-01-06T07:00:00Z", null]);
  assert.deepEqual(counts, { protected: 0, late: 0, failing: 1, never_backed_up: 0, paused: 0 });
  assert.deepEqual(tasks.map(({ label, status }: Record<string, string>) => [label, status]), [
    ["Home", "failing"],
  ]);
  assert.deepEqual(summary, {
    period: "daily",
    since: "2026-01-05T07:00:00Z",
    is_protected: true,
    verdict: summary.verdict,
    runs: { succeeded: 0, warnings: 1, failed: 1 },
    backups: { count: 1, size: 10 },
    stored: { count: 1, size: 10 },
    proven: null,
  });
  assert.match(body.title, /^Daily summary: No task is late\. 1 task has a recent backup, but /);
  assert.match(body.text, /^Runs since then: 0 succeeded, 1 with warnings, 1 failed$/m);
  assert.match(body.text, /^Failing: Home \(\d+\): .*The source \/data is empty\.$/m);
});

Deno.test("each summary is sent once by several control planes, and one alone after a long absence", async () => {
  await using test = await setUp();
  await test.stream({ summary: "weekly", summary_weekday: 2, notifications: { on_failure: false } });
  await test.pass(18.9);
  assert.deepEqual(await test.sent(), []);
  await test.pass(0.2);
  await Promise.all([1, 2, 3].map(() => sendSummaries(test.services)));
  assert.deepEqual((await test.sent()).map(({ event }) => event), ["summary"]);
  await test.pass(6.9 * 24);
  assert.deepEqual(await test.sent(), []);
  await test.pass(20 * 24);
  assert.equal((await test.sent()).length, 1);
  const [{ at }] = await test.database<[{ at: Date }]>`
    select summary_due_at as at from notification_streams`;
  assert.equal(at.toISOString(), "2026-02-03T07:00:00.000Z");
});

Deno.test("a change of time or zone moves the next summary, off ends it, and a dead man's switch gets none", async () => {
  await using test = await setUp();
  const id = await test.stream({ summary: "daily" });
  const due = async (changes: Record<string, unknown>) => {
    const value = "https://example.test/hook";
    const row = await updateNotificationStream(test.services, test.at.caller, id, { value, ...changes });
    return row.summary_due_at?.toISOString() ?? null;
  };
  assert.equal(await due({ label: "y" }), "2026-01-06T07:00:00.000Z");
  assert.equal(await due({ summary_time: "14:00" }), "2026-01-05T13:00:00.000Z");
  assert.equal(await due({ timezone: "UTC" }), "2026-01-05T14:00:00.000Z");
  assert.equal(await due({ summary: "weekly", summary_weekday: 0 }), "2026-01-11T14:00:00.000Z");
  assert.equal(await due({ summary: "off" }), null);
  const ping = {
    label: "x",
    type: "healthchecks",
    value: "https://hc-ping.com/2f1a0c9e-0000-4000-8000-000000000000",
  };
  await assert.rejects(
    async () => await createNotificationStream(test.services, test.at.caller, { ...ping, summary: "daily" }),
    { errors: { summary: ["The summary field must be off for streams of the type healthchecks."] } },
  );
});

Deno.test("a summary is a message of its own, and waits in quiet hours", async () => {
  await using test = await setUp();
  const id = await test.stream({ summary: "daily", quiet_from: "07:00", quiet_to: "09:00" });
  await newStream(test.services, { userId: test.at.caller.userId, taskId: null });
  await test.database`
    insert into backup_task_notification_streams (backup_task_id, notification_stream_id)
    values (${test.at.taskId}, ${id})`;
  await test.pass(19);
  const tell = (key: string) =>
    writeDeliveries(test.services, test.database, {
      ...{ name: "backup.late", run: null, backupId: null, reason: null, key } as const,
      ...{ userId: test.at.caller.userId, workspaceId: test.at.caller.workspaceId },
      ...{ taskId: test.at.taskId, serverId: null },
    });
  await tell("first");
  assert.deepEqual(await test.sent(), []);
  await tell("second");
  await test.pass(1);
  const events: string[] = [];
  for (let minute = 0; minute < 3; minute++) {
    for (const { event } of await test.sent()) events.push(event);
    await test.clock.advance(60_000);
  }
  assert.deepEqual(events, ["digest", "summary"]);
});
