import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { requestRemoval } from "../retention/removals.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { endOverdueRuns } from "../runs/run_deadlines.ts";
import { startRun } from "../runs/runs.ts";
import { recoverFromClockAhead } from "./clock_set_back.ts";

const NOW = "2026-01-05T12:00:00Z";
const A_YEAR_AHEAD = "2027-01-05T12:00:00Z";

Deno.test("a run that was offered by a clock that was ahead is not waited for until that time", async () => {
  await using test = await testServices({ now: A_YEAR_AHEAD });
  const { clock, database, services } = test;
  const { caller, serverId, taskId } = await plant(services);
  await startRun(services, caller, taskId);
  await claimAssignments(services, [serverId]);
  await clock.set(NOW);
  await recoverFromClockAhead(services);
  const { grace, lease } = services.runTimes;
  await clock.advance(lease + grace);
  assert.equal(await endOverdueRuns(services), 1);
  const [run] = await database`select state from runs`;
  assert.equal(run!.state, "queued"); // the run can be dispatched again
});

Deno.test("deadlines at their maximum are kept", async () => {
  await using test = await testServices({ now: NOW });
  const { database, services } = test;
  const first = await plant(services);
  const second = await plant(services);
  for (const { caller, taskId } of [first, second]) await startRun(services, caller, taskId);
  await claimAssignments(services, [first.serverId]);
  const times = async () => [...await database`select deadline_at, lease_expires_at from runs order by id`];
  const before = await times();
  await recoverFromClockAhead(services);
  assert.deepEqual(await times(), before);
});

Deno.test("a stream with a last message from a clock that was ahead gets the next one without delay", async () => {
  await using test = await testServices({ now: NOW });
  const { clock, database, services } = test;
  const { caller, taskId } = await plant(services);
  await newStream(services, { userId: caller.userId, taskId });
  await database`
    update notification_streams set last_delivery_at = ${A_YEAR_AHEAD}, next_attempt_at = '2027-01-05T12:01:00Z'`;
  await database`
    insert into notification_deliveries (notification_stream_id, event_key, event, state, due_at, created_at)
    select id, 'run 1 failed', '{"event": "backup.failed"}', 'waiting', ${A_YEAR_AHEAD}, ${A_YEAR_AHEAD}
    from notification_streams`;
  await recoverFromClockAhead(services);
  const [due] = await database`
    select d.due_at, n.next_attempt_at from notification_deliveries d
    join notification_streams n on n.id = d.notification_stream_id`;
  assert.deepEqual({ ...due }, { due_at: clock.now(), next_attempt_at: null });
});

Deno.test("a removal that was attempted by a clock that was ahead is retried, and the trash keeps its time", async () => {
  await using test = await testServices({ now: A_YEAR_AHEAD });
  const { clock, database, services } = test;
  const { taskId } = await plant(services);
  const removed = await newBackup(database, taskId, clock.now());
  await requestRemoval(services, database, [removed], "request");
  const trashed = await newBackup(database, taskId, clock.now());
  await database`
    update backups set removal_requested_at = ${clock.now()}, removal_reason = 'request',
      next_removal_at = '2027-01-08T12:00:00Z', deletes_at = '2027-01-08T12:00:00Z' where id = ${trashed}`;
  await clock.set(NOW);
  await recoverFromClockAhead(services);
  const rows = await database`select next_removal_at from backups order by id`;
  assert.deepEqual(rows.map(({ next_removal_at }) => next_removal_at.toISOString()), [
    "2026-01-05T12:00:00.000Z",
    "2027-01-08T12:00:00.000Z",
  ]);
});

Deno.test("a run whose last progress was noted on a clock that was ahead is watched as any other", async () => {
  await using test = await testServices({ now: NOW });
  const { clock, database, services } = test;
  const { caller, serverId, taskId } = await plant(services);
  await startRun(services, caller, taskId);
  await claimAssignments(services, [serverId]);
  await database`update runs set state = 'running', started_at = now(), moved_at = ${A_YEAR_AHEAD}`;
  const [before] = await database`select deadline_at from runs`;
  await recoverFromClockAhead(services);
  const [run] = await database`select moved_at, deadline_at from runs`;
  assert.deepEqual({ ...run }, { moved_at: clock.now(), deadline_at: before!.deadline_at });
});
