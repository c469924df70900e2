import assert from "node:assert/strict";
import { event, failure, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { HttpReceiver } from "../../../tests/support/servers/receivers.ts";
import { Notifier } from "../../notify/notifier.ts";
import type { RunEvent } from "../../protocol/wire_messages.ts";
import { claimAssignments } from "./dispatch.ts";
import { endOverdueRuns } from "./run_deadlines.ts";
import { recordEvents } from "./run_events.ts";
import { cancelRun, startRun } from "./runs.ts";

async function setUpFollower() {
  const test = await testServices();
  const { services } = test;
  const receiver = new HttpReceiver();
  const { caller, serverId, taskId } = await plant(services, { label: "Home" });
  const notifier = new Notifier({ ...services, smtp: null });
  await newStream(services, { userId: caller.userId, taskId }, {
    type: "healthchecks",
    value: `${receiver.url}/ping`,
  });
  const start = async () => {
    await startRun(services, caller, taskId);
    const [run] = await claimAssignments(services, [serverId]);
    await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
    return run!;
  };
  return {
    ...test,
    caller,
    taskId,
    receiver,
    notifier,
    start,
    finish: (run: Awaited<ReturnType<typeof start>>, how: RunEvent) =>
      recordEvents(services, [event(serverId, run, 2, how)]),
    /** Sends all messages that are due now, and returns the paths of the pings that arrived. */
    async pings() {
      const before = receiver.received.length;
      while (await notifier.deliverDue() > 0);
      return receiver.received.slice(before).map(({ path }) => path);
    },
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a follower gets each start and each end at once and in order, however often a task fails", async () => {
  await using test = await setUpFollower();
  for (let times = 0; times < 3; times++) await test.finish(await test.start(), failure("No space."));
  await test.finish(await test.start(), success());
  assert.deepEqual(await test.pings(), [
    ...Array.from({ length: 3 }, () => ["/ping/start", "/ping/fail"]).flat(),
    "/ping/start",
    "/ping",
  ]);
  assert.match(test.receiver.received[1]!.body, /^Reason: No space\.$/m);
  // Both pings of a run carry the run's id. Different runs have different ids.
  const ids = test.receiver.received.map(({ query }) => query.get("rid"));
  assert.deepEqual(ids, [ids[0], ids[0], ids[2], ids[2], ids[4], ids[4], ids[6], ids[6]]);
  assert.equal(new Set(ids).size, 4);
});

Deno.test("a ping that fails is retried before later ones, after four minutes at most", async () => {
  await using test = await setUpFollower();
  const { clock, receiver, notifier } = test;
  receiver.answer = () => new Response(null, { status: 500 });
  const run = await test.start();
  for (let tries = 0; tries < 12; tries++) {
    assert.deepEqual(await test.pings(), ["/ping/start"]);
    const wait = (await notifier.nextDue())!.getTime() - clock.now().getTime();
    assert.ok(wait > 0 && wait <= 240_000, `${wait} ms`);
    await clock.advance(wait);
  }
  receiver.answer = () => new Response("OK");
  await test.finish(run, success());
  assert.deepEqual(await test.pings(), ["/ping/start", "/ping"]);
});

Deno.test("a run that is lost or cancelled fails for a follower, but not one that never began", async () => {
  await using test = await setUpFollower();
  const { clock, services, caller, taskId } = test;
  const lost = await test.start();
  await clock.advance(17 * 60_000);
  assert.equal(await endOverdueRuns(services), 1);
  assert.deepEqual(await test.pings(), ["/ping/start", "/ping/fail"]);
  await test.finish(lost, success());
  assert.deepEqual(await test.pings(), ["/ping"]);
  await startRun(services, caller, taskId);
  await cancelRun(services, caller, taskId);
  assert.deepEqual(await test.pings(), []);
  const cancelled = await test.start();
  await cancelRun(services, caller, taskId);
  await test.finish(cancelled, {
    kind: "finished",
    verdict: { outcome: "cancelled", warnings_count: 0, reason: "Cancelled.", leftovers: [] },
  });
  assert.deepEqual(await test.pings(), ["/ping/start", "/ping/fail"]);
});

Deno.test("a follower gets nothing but runs, and other streams no starts", async () => {
  await using test = await setUpFollower();
  const { services, database, caller, taskId, receiver } = test;
  await newStream(services, { userId: caller.userId, taskId }, { value: `${receiver.url}/hook` });
  await test.finish(await test.start(), success({ warnings_count: 0 }));
  const run = await test.start();
  await database`update runs set kind = 'drill' where id = ${run.runId}`;
  await test.finish(run, failure("It could not be restored."));
  const stored = await database<{ type: string; event: string }[]>`
    select n.type, d.event->>'event' as event from notification_deliveries d
    join notification_streams n on n.id = d.notification_stream_id order by d.id`;
  assert.deepEqual(stored.map(({ type, event }) => `${type}: ${event}`), [
    "healthchecks: backup.started",
    "healthchecks: backup.succeeded",
    "webhook: backup.succeeded",
    "healthchecks: backup.started",
    "webhook: drill.failed",
  ]);
});
