/** Tests notifications about stalled runs and absent agents. */
import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { event, success } from "../../../tests/support/clients/events.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { showBackupTask } from "../tasks/backup_tasks.ts";
import { disconnectAgent } from "../servers/connections.ts";
import { RELEASE } from "../../domain/release.ts";
import { claimAssignments } from "./dispatch.ts";
import { recordEvents } from "./run_events.ts";
import { watchOf } from "./run_limits.ts";
import { lockStalledRuns } from "../../store/runs/run_watch.ts";
import { watchOverdueRuns, watchSlowRuns, watchStalledRuns } from "./run_watch.ts";
import { explainRun } from "./run_waits.ts";
import { startRun } from "./runs.ts";
import { fireDueTasks } from "../tasks/schedules.ts";
import { watchAgents, watchRemovals, watchStreams, watchVersions } from "./standing_watch.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function stage(task: Record<string, unknown> = {}) {
  const test = await testServices();
  const { services, database, clock } = test;
  const at = await plant(services, { label: "Home", ...task });
  const ids = { userId: at.caller.userId, taskId: at.taskId };
  const streamId = await newStream(services, ids, { on_success: false });
  let seen = 0;
  const newMessages = async () => {
    const rows = await database<{ id: number; event: NotificationEvent }[]>`
      select id, event from notification_deliveries where id > ${seen} order by id`;
    seen = rows.at(-1)?.id ?? seen;
    return rows.map(({ event }) => event);
  };
  let sequence = 0;
  const say = (runId: number, what: Parameters<typeof event>[3]) =>
    recordEvents(services, [event(at.serverId, { runId, attempt: 1 } as never, ++sequence, what)]);
  const run = async () => {
    const { runId } = await startRun(services, at.caller, at.taskId);
    await claimAssignments(services, [at.serverId]);
    sequence = 0;
    await say(runId, { kind: "accepted" });
    return runId;
  };
  const progress = (bytes: number, more: Record<string, unknown> = {}) => ({
    kind: "progress" as const,
    bytes_read: bytes,
    bytes_written: 0,
    files_count: null,
    bytes_per_second: 0,
    eta_seconds: null,
    ...more,
  });
  return {
    ...test,
    at,
    streamId,
    run,
    say,
    progress,
    newMessages,
    names: async () => (await newMessages()).map(({ event }) => event),
    why: async (id: number) => {
      await database`update replicas set heartbeat_at = ${clock.now()}`;
      return await explainRun(services, at.caller, id);
    },
    clock,
  };
}

Deno.test("a stalled run is reported with what it waits for, since when and until when", async () => {
  await using test = await stage({ stall_warning: 300, stall_timeout: 3600 });
  const { services, clock, say, progress, at } = test;
  await sayHello(services, at.serverId);
  const id = await test.run();
  await clock.advance(4 * MINUTE);
  await say(id, progress(0, { stalled_ms: 4 * MINUTE }));
  await watchStalledRuns(services);
  assert.deepEqual(await test.names(), []);
  assert.equal((await test.why(id)).waiting_for, null);
  await clock.advance(MINUTE);
  const waits_for = "The dump waits for a lock that session 42 of user app holds.";
  await say(id, progress(0, { stalled_ms: 5 * MINUTE, waits_for }));
  for (let i = 0; i < 3; i++) await watchStalledRuns(services);
  const [stalled, ...more] = await test.newMessages();
  assert.deepEqual(more, []);
  assert.deepEqual([stalled!.event, stalled!.run!.id, stalled!.run!.status], [
    "backup.stalled",
    id,
    "running",
  ]);
  assert.equal(stalled!.reason, `It has made no progress for 5 min. ${waits_for}`);
  const why = await test.why(id);
  assert.deepEqual([why.waiting_for, why.message], [
    "progress",
    `It has made no progress for 5 min. ${waits_for}`,
  ]);
  assert.deepEqual(why.until, new Date("2026-01-05T13:00:00Z"));
  assert.match(why.then!, /^It fails, because it makes no progress/);
  // The run makes progress and then stalls again. The second stall is reported, too.
  await say(id, progress(10, { stalled_ms: 0 }));
  await watchStalledRuns(services);
  assert.equal((await test.why(id)).waiting_for, null);
  await clock.advance(6 * MINUTE);
  await say(id, progress(10, { stalled_ms: 6 * MINUTE }));
  await watchStalledRuns(services);
  assert.deepEqual(await test.names(), ["backup.stalled"]);
  await say(id, success());
  assert.deepEqual(await test.names(), ["backup.recovered"]);
});

Deno.test("a run that its agent does not end at its limit is cancelled, and counts as failed", async () => {
  await using test = await stage({ stall_timeout: 3600 });
  const { services, clock, say, progress, at, database } = test;
  await sayHello(services, at.serverId);
  const id = await test.run();
  await clock.advance(HOUR);
  await say(id, progress(0));
  await watchStalledRuns(services);
  const state = async () => (await database`select state, reason from runs where id = ${id}`)[0]!;
  assert.equal((await state()).state, "running");
  await clock.advance(MINUTE);
  await say(id, progress(0));
  await watchStalledRuns(services);
  assert.deepEqual({ ...await state() }, {
    state: "cancelling",
    reason: "It has made no progress for 1 h 1 min.",
  });
  await say(id, {
    kind: "finished",
    verdict: { outcome: "cancelled", warnings_count: 0, reason: "Cancelled.", leftovers: [] },
  });
  assert.deepEqual(await test.names(), ["backup.stalled", "backup.failed"]);
});

Deno.test("an agent that does not report stalls is watched by its progress", async () => {
  await using test = await stage();
  const { services, clock, say, progress, at } = test;
  await sayHello(services, at.serverId);
  const id = await test.run();
  for (let minute = 0; minute < 60; minute++) {
    await say(id, progress(minute));
    await watchStalledRuns(services);
    await clock.advance(MINUTE);
  }
  assert.deepEqual(await test.names(), []);
  for (let minute = 0; minute < 20; minute++) {
    await say(id, progress(60));
    await watchStalledRuns(services);
    await clock.advance(MINUTE);
  }
  assert.deepEqual(await test.names(), ["backup.stalled"]);
});

Deno.test("skipped due times are shown on the task, and reported from the second on", async () => {
  await using test = await stage({
    frequency: null,
    time_to_run_at: null,
    custom_cron_expression: "0 * * * *",
    next_run_at: "2026-01-05T13:00:00Z",
  });
  const { services, clock, at, say } = test;
  await sayHello(services, at.serverId);
  const id = await test.run();
  const skipped = async () => {
    const { last_skipped_at, skipped_count } = await showBackupTask(services, at.caller, at.taskId);
    return [skipped_count, last_skipped_at?.toISOString().slice(11, 16)];
  };
  const newMessages: string[][] = [];
  for (const hour of ["13:00", "14:00", "15:00", "16:00"]) {
    await clock.set(`2026-01-05T${hour}:00Z`);
    while (await fireDueTasks(services) > 0);
    newMessages.push(await test.names());
    assert.equal((await skipped())[1], hour);
  }
  assert.deepEqual(newMessages, [[], ["backup.skipped"], [], []]);
  assert.deepEqual(await skipped(), [4, "16:00"]);
  await say(id, success());
  assert.deepEqual(await test.names(), ["backup.recovered"]);
});

Deno.test("an absent agent is reported once after its server's grace period, and so is its return", async () => {
  await using test = await stage();
  const { services, clock, at, database } = test;
  const since = clock.now();
  await database`update remote_servers set agent_key_hash = 'x', offline_alert_after = 600`;
  const watch = () => watchAgents(services, since);
  await watch();
  const { connection } = await sayHello(services, at.serverId);
  await clock.advance(HOUR);
  await watch();
  assert.deepEqual(await test.names(), []);
  await disconnectAgent(services, connection);
  await clock.advance(9 * MINUTE);
  await watch();
  assert.deepEqual(await test.names(), []);
  await clock.advance(MINUTE);
  for (let i = 0; i < 3; i++) await watch();
  const [gone, ...more] = await test.newMessages();
  assert.deepEqual(more, []);
  assert.deepEqual([gone!.event, gone!.server?.label, gone!.task, gone!.reason], [
    "agent.gone",
    "server",
    null,
    "Its last connection ended 10 min ago.",
  ]);
  await clock.advance(24 * HOUR);
  await watch();
  assert.deepEqual(await test.names(), ["agent.gone"]);
  await sayHello(services, at.serverId);
  await watch();
  await watch();
  assert.deepEqual(await test.names(), ["agent.back"]);
});

Deno.test("an agent that comes and goes is reported daily, and its return once it stays", async () => {
  await using test = await stage();
  const { services, clock, at, database } = test;
  const since = clock.now();
  await database`update remote_servers set agent_key_hash = 'x', offline_alert_after = 600`;
  const absence = async () => {
    const { connection } = await sayHello(services, at.serverId);
    await watchAgents(services, since);
    const back = await test.names();
    await disconnectAgent(services, connection);
    await clock.advance(10 * MINUTE);
    await watchAgents(services, since);
    return [...back, ...await test.names()];
  };
  assert.deepEqual(await absence(), ["agent.gone"]);
  assert.deepEqual(await absence(), ["agent.back", "agent.gone"]);
  for (let i = 0; i < 5; i++) assert.deepEqual(await absence(), [], `absence ${i}`);
  await sayHello(services, at.serverId);
  await watchAgents(services, since);
  assert.deepEqual(await test.names(), []);
  await clock.advance(HOUR);
  await watchAgents(services, since);
  assert.deepEqual(await test.names(), ["agent.back"]);
});

Deno.test("after a start of the control plane, agents have time to reconnect before they are reported", async () => {
  await using test = await stage();
  const { services, clock, at, database } = test;
  await database`update remote_servers set agent_key_hash = 'x'`;
  const { connection } = await sayHello(services, at.serverId);
  await disconnectAgent(services, connection);
  await clock.advance(24 * HOUR);
  const since = clock.now();
  await watchAgents(services, since);
  assert.deepEqual(await test.names(), []);
  await clock.advance(2 * MINUTE);
  await watchAgents(services, since);
  assert.deepEqual(await test.names(), ["agent.gone"]);
  // A server with alerts turned off is not reported. A server with a revoked key is not reported either.
  await database`update remote_servers set offline_alert_after = 0`;
  await database`delete from alerts`;
  await watchAgents(services, since);
  await database`update remote_servers set offline_alert_after = null, agent_key_hash = null`;
  await watchAgents(services, since);
  assert.deepEqual(await test.names(), []);
});

Deno.test("a backup that no agent accepts is reported long before its start deadline, with what it waits for", async () => {
  await using test = await stage();
  const { services, clock, at } = test;
  await startRun(services, at.caller, at.taskId);
  await clock.advance(HOUR - 1);
  await watchOverdueRuns(services);
  assert.deepEqual(await test.names(), []);
  await clock.advance(1);
  for (let i = 0; i < 3; i++) await watchOverdueRuns(services);
  const [overdue, ...more] = await test.newMessages();
  assert.deepEqual(more, []);
  assert.deepEqual([overdue!.event, overdue!.run!.status], ["backup.overdue", "queued"]);
  assert.match(overdue!.reason!, /^It has been queued for 1 h\. The agent of server server has never been/);
  await sayHello(services, at.serverId);
  const [assignment] = await claimAssignments(services, [at.serverId]);
  await recordEvents(services, [event(at.serverId, assignment!, 1, { kind: "accepted" })]);
  await recordEvents(services, [event(at.serverId, assignment!, 2, success())]);
  assert.deepEqual(await test.names(), ["backup.recovered"]);
});

Deno.test("a run that takes three times as long as usual is reported once", async () => {
  await using test = await stage();
  const { services, clock, say, at, database } = test;
  await sayHello(services, at.serverId);
  for (let i = 0; i < 3; i++) await say(await test.run(), success());
  await database`update backups set duration_ms = ${10 * MINUTE}`;
  const id = await test.run();
  await clock.advance(30 * MINUTE - 1);
  await watchSlowRuns(services);
  assert.deepEqual(await test.names(), []);
  await clock.advance(1);
  for (let i = 0; i < 3; i++) await watchSlowRuns(services);
  const [slow, ...more] = await test.newMessages();
  assert.deepEqual([slow!.event, more], ["backup.slow", []]);
  assert.equal(slow!.reason, "It has been running for 30 min; usually it takes 10 min.");
  await say(id, success());
});

Deno.test("removals that fail for a day and a stream that fails for an hour are reported to other streams", async () => {
  await using test = await stage();
  const { services, clock, say, at, database, streamId } = test;
  await sayHello(services, at.serverId);
  await say(await test.run(), success());
  await database`update backups set removal_requested_at = ${clock.now()}, removal_reason = 'request',
    removal_begun_at = ${clock.now()}, removal_error = 'Permission denied', removal_attempts = 3`;
  await clock.advance(24 * HOUR - 1);
  await watchRemovals(services);
  assert.deepEqual(await test.names(), []);
  await clock.advance(1);
  for (let i = 0; i < 3; i++) await watchRemovals(services);
  const [failing, ...more] = await test.newMessages();
  assert.deepEqual([failing!.event, more], ["removal.failing", []]);
  assert.match(failing!.reason!, /^1 at destination here \(\d+\): Permission denied$/);
  const other = await newStream(services, { userId: at.caller.userId, taskId: null });
  await database`
    update notification_streams set failing_since = ${clock.now()}, failures = 3, last_delivery_error = 'No.'
    where id = ${streamId}`;
  await clock.advance(HOUR);
  for (let i = 0; i < 3; i++) await watchStreams(services);
  const rows = await database`
    select notification_stream_id as id, event->>'reason' as reason from notification_deliveries
    where event->>'event' = 'notifications.failing'`;
  assert.deepEqual([...rows].map((row) => ({ ...row })), [
    { id: other, reason: `Stream stream (${streamId}): No.` },
  ]);
});

Deno.test("a restore may stall for longer, unless its task sets a limit", async () => {
  await using test = await stage();
  const { services, database, at } = test;
  const run = { backup_task_id: at.taskId };
  const limits = async (kind: "backup" | "restore") =>
    (await watchOf(services, database, { ...run, kind })).stall_timeout_ms;
  assert.deepEqual([await limits("backup"), await limits("restore")], [6 * HOUR, 24 * HOUR]);
  const since = test.clock.now();
  await sayHello(services, at.serverId);
  const id = await test.run();
  await database`update runs set kind = 'restore' where id = ${id}`;
  const overAfter = async (hours: number) => {
    const now = new Date(since.getTime() + hours * HOUR + 2 * MINUTE);
    await database`update runs set lease_expires_at = ${new Date(now.getTime() + MINUTE)}`;
    const { stallTimeout, stallWarning, lease } = services.runTimes;
    return (await lockStalledRuns(database, now, stallWarning, stallTimeout, lease))[0]!.is_over;
  };
  assert.deepEqual([await overAfter(7), await overAfter(24)], [false, true]);
  await database`update backup_tasks set stall_timeout = 3600`;
  assert.equal(await limits("restore"), HOUR);
  assert.equal(await overAfter(1), true);
});

Deno.test("an agent that is older than its control plane is reported once, to the streams that choose it", async () => {
  await using test = await stage();
  const { services, clock, at, database } = test;
  await sayHello(services, at.serverId);
  const report = async (version: string) => {
    await database`
      update remote_servers set agent_description = agent_description || jsonb_build_object('version', ${version}::text)`;
    await watchVersions(services);
    return await test.newMessages();
  };
  assert.deepEqual(await report("0.0.9"), []);
  await database`update notification_streams set events = '{"update_available": true}'`;
  const [message, ...more] = await report("0.0.9");
  assert.deepEqual([message!.event, message!.server?.label, more], ["update.available", "server", []]);
  assert.equal(message!.reason, `The agent has version 0.0.9; this control plane has ${RELEASE}.`);
  for (let day = 0; day < 40; day += 10) {
    await clock.advance(10 * 24 * HOUR);
    assert.deepEqual(await report("0.0.9"), []);
  }
  assert.deepEqual(await report(RELEASE), []);
  assert.deepEqual(await report("99.0.0"), []);
  const open = await database`select from alerts where closed_at is null`;
  assert.equal(open.length, 0);
});
