import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { event, failure, success } from "../../../tests/support/clients/events.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import type { RunEvent } from "../../protocol/wire_messages.ts";
import { transaction } from "../../store/database/database.ts";
import { type Assignment, claimAssignments } from "./dispatch.ts";
import { deleteExpiredRows } from "../installation/housekeeping.ts";
import { deleteNotificationStream } from "../notifications/notification_streams.ts";
import { cancelTimedOutRuns, endOverdueRuns } from "./run_deadlines.ts";
import { recordEvents } from "./run_events.ts";
import { applyToRun } from "./run_state.ts";
import { cancelRun, startRun } from "./runs.ts";
import { lockRuns } from "../../store/runs/runs.ts";
import { startVerification } from "../backups/verifications.ts";

/**
 * Creates a task with one stream for successes and one for failures. Returns functions that collect messages.
 */
async function setUpStreams(task: Record<string, unknown> = {}) {
  const test = await testServices();
  const { services, database } = test;
  const at = await plant(services, { label: "Home", ...task });
  const { userId } = at.caller;
  const successes = await newStream(services, { userId, taskId: at.taskId }, {
    on_success: true,
    on_failure: false,
  });
  const failures = await newStream(services, { userId, taskId: at.taskId }, {
    on_success: false,
    on_failure: true,
  });
  await newStream(services, { userId, taskId: at.taskId }, { on_success: false, on_failure: false });
  await newStream(services, { userId, taskId: null });
  let seen = 0;
  const names = new Map([[successes, "success"], [failures, "failure"]]);
  const newMessages = async () => {
    const rows = await database<{ id: number; notification_stream_id: number; event: NotificationEvent }[]>`
      select id, notification_stream_id, event from notification_deliveries where id > ${seen} order by id`;
    seen = rows.at(-1)?.id ?? seen;
    return rows.map((row) => ({ to: names.get(row.notification_stream_id), ...row.event }));
  };
  return {
    ...test,
    at,
    failures,
    successes,
    newMessages,
    short: async () => (await newMessages()).map(({ to, event }) => `${to}: ${event}`),
    start: async () => {
      await startRun(services, at.caller, at.taskId);
      return await assignment();
    },
    assignment,
    finish,
  };

  async function assignment(): Promise<Assignment> {
    const [run] = await claimAssignments(services, [at.serverId]);
    await recordEvents(services, [event(at.serverId, run!, 1, { kind: "accepted" })]);
    return run!;
  }

  function finish(run: Assignment, how: RunEvent) {
    return recordEvents(services, [event(at.serverId, run, 2, how)]);
  }
}

Deno.test("a success and a failure each notify the streams that subscribe to them, once, with all details", async () => {
  await using test = await setUpStreams();
  const { at, clock } = test;
  await test.database`update users set timezone = 'Europe/Berlin'`;
  const run = await test.start();
  await clock.advance(60_000);
  await test.finish(run, success({ warnings_count: 2 }));
  await test.finish(run, success({ warnings_count: 2 }));
  const [newMessages, ...more] = await test.newMessages();
  assert.deepEqual(more, []);
  const [backup] = await test.database`select id from backups`;
  assert.deepEqual(newMessages, {
    to: "success",
    event: "backup.succeeded",
    occurred_at: "2026-01-05T12:01:00Z",
    timezone: "Europe/Berlin",
    task: { id: at.taskId, label: "Home", type: "files" },
    server: { id: at.serverId, label: "server" },
    run: {
      id: run.runId,
      kind: "backup",
      status: "successful",
      trigger: "manual",
      was_lost: false,
      started_at: "2026-01-05T12:00:00Z",
      finished_at: "2026-01-05T12:01:00Z",
      warnings_count: 2,
      outcome: "warnings",
    },
    backup: {
      id: backup!.id,
      file_name: "backup_1.tar.zst",
      size: 10,
      created_at: "2026-01-05T12:01:00Z",
    },
    reason: null,
  });
  await test.finish(await test.start(), failure("The source /data is empty."));
  const [failed, ...others] = await test.newMessages();
  assert.deepEqual(others, []);
  assert.deepEqual([failed!.to, failed!.event, failed!.reason, failed!.run!.status, failed!.backup], [
    "failure",
    "backup.failed",
    "The source /data is empty.",
    "failed",
    null,
  ]);
});

Deno.test("a success with warnings goes to the streams that choose the class, and a muted class to none", async () => {
  await using test = await setUpStreams();
  const { at, services } = test;
  const toStream = (events: Record<string, boolean>) =>
    newStream(services, { userId: at.caller.userId, taskId: at.taskId }, {
      on_success: false,
      on_failure: false,
      events,
    });
  const warned = await toStream({ warnings: true });
  const failed = await toStream({ failure: true });
  await test.database`update notification_streams set events = '{"warnings": false}' where on_success`;
  await test.database`update notification_streams set events = '{"recovered": false}' where on_failure`;
  const told = async () => {
    await test.short();
    const rows = await test.database<{ id: number; name: string }[]>`
      delete from notification_deliveries returning notification_stream_id as id, event->>'event' as name`;
    return rows.map(({ id, name }) => `${id}: ${name}`).sort();
  };
  await test.finish(await test.start(), success({ warnings_count: 2 }));
  assert.deepEqual(await told(), [`${warned}: backup.succeeded`]);
  await test.finish(await test.start(), failure("The disk is gone."));
  assert.deepEqual(await told(), [`${failed}: backup.failed`, `${test.failures}: backup.failed`].sort());
  await test.finish(await test.start(), success({ warnings_count: 0 }));
  assert.deepEqual(await told(), [`${test.successes}: backup.succeeded`]);
});

Deno.test("a notification is written in the transaction of the change, or not at all", async () => {
  await using test = await setUpStreams();
  const run = await test.start();
  const change = transaction(test.database, async (sql) => {
    const [row] = await lockRuns(sql, [run.runId]);
    await applyToRun(test.services, sql, row!, { type: "finished", outcome: "failed" }, { reason: "x" });
    assert.equal((await sql`select from notification_deliveries`).length, 1);
    throw new Error("the control plane dies here");
  });
  await assert.rejects(change, /dies here/);
  assert.deepEqual(await test.newMessages(), []);
});

Deno.test("a lost run is reported, and its later outcome is reported to every subscribed stream", async () => {
  await using test = await setUpStreams();
  const { clock, services } = test;
  const lose = async () => {
    const run = await test.start();
    await clock.advance(17 * 60_000);
    assert.equal(await endOverdueRuns(services), 1);
    return run;
  };
  const run = await lose();
  const [lost] = await test.newMessages();
  assert.deepEqual([lost!.to, lost!.event], ["failure", "backup.lost"]);
  assert.match(lost!.reason!, /^The agent was silent for 16 min/);
  await test.finish(run, success());
  const after = await test.newMessages();
  assert.deepEqual(after.map(({ to, event, run }) => [to, event, run!.was_lost]), [
    ["success", "backup.succeeded", true],
    ["failure", "backup.succeeded", true],
  ]);
  const other = await lose();
  await test.short();
  await test.finish(other, failure("Killed."));
  const [failed] = await test.newMessages();
  assert.deepEqual([failed!.event, failed!.run!.was_lost], ["backup.failed", true]);
});

Deno.test("a run that no agent accepts or that runs out of time is reported; one that a user cancels is not", async () => {
  await using test = await setUpStreams({ run_timeout: 60 });
  const { clock, services, at } = test;
  await startRun(services, at.caller, at.taskId);
  await clock.advance(25 * 3_600_000);
  await endOverdueRuns(services);
  assert.deepEqual(await test.short(), ["failure: backup.failed"]);
  await startRun(services, at.caller, at.taskId);
  await cancelRun(services, at.caller, at.taskId);
  const cancelled = await test.start();
  await cancelRun(services, at.caller, at.taskId);
  await test.finish(cancelled, {
    kind: "finished",
    verdict: { outcome: "cancelled", warnings_count: 0, reason: "Cancelled.", leftovers: [] },
  });
  assert.deepEqual(await test.short(), []);
  const stuck = await test.start();
  await clock.advance(121_000);
  await recordEvents(services, [event(at.serverId, stuck, 2, { kind: "output", text: "still here\n" })]);
  assert.equal(await cancelTimedOutRuns(services), 1);
  await clock.advance(61_000);
  await endOverdueRuns(services);
  const [timedOut] = await test.newMessages();
  assert.deepEqual([timedOut!.event, timedOut!.run!.status], ["backup.failed", "cancelled"]);
  assert.match(timedOut!.reason!, /^The run took longer than its task's run timeout/);
});

Deno.test("anomalies are reported with the success, and so are damage and a drill that could not be made", async () => {
  await using test = await setUpStreams({ verify_every: 0 });
  const { services, at, database } = test;
  await sayHello(services, at.serverId);
  const done = success() as ReturnType<typeof success> & { verdict: { backup: { suspicion: string } } };
  done.verdict.backup.suspicion = "Possible ransomware: it compresses much worse";
  await test.finish(await test.start(), done);
  const [stored, suspicious] = await test.newMessages();
  assert.deepEqual([stored!.to, stored!.event], ["success", "backup.succeeded"]);
  assert.deepEqual([suspicious!.to, suspicious!.event, suspicious!.reason, suspicious!.backup], [
    "failure",
    "backup.suspicious",
    "Possible ransomware: it compresses much worse",
    stored!.backup,
  ]);
  const checked = async (kind: "verify" | "drill" | "restore", damage?: string) => {
    const id = await newBackup(database, at.taskId, test.clock.now(), { file_name: "checked.tar.zst" });
    await startVerification(services, at.caller, id, undefined);
    const options = { type: "files", target_path: "/target", paths: [], overwrite: false };
    await database`update runs set kind = ${kind}, options = ${
      database.json(options)
    } where state = 'queued'`;
    const verdict = { outcome: "failed", warnings_count: 0, reason: "It failed.", leftovers: [], damage };
    await test.finish(await test.assignment(), { kind: "finished", verdict } as RunEvent);
    return (await test.newMessages()).map((
      { to, event, reason, backup },
    ) => [to, event, reason, backup?.file_name]);
  };
  for (const kind of ["verify", "drill", "restore"] as const) {
    assert.deepEqual(await checked(kind, "its SHA-256 differs"), [
      ["failure", "backup.damaged", "its SHA-256 differs", "checked.tar.zst"],
    ]);
    const [backup] = await database`select damaged_at, damage_reason from backups order by id desc limit 1`;
    assert.deepEqual([backup!.damaged_at, backup!.damage_reason], [test.clock.now(), "its SHA-256 differs"]);
  }
  assert.deepEqual(await checked("restore"), []);
  assert.deepEqual(await checked("drill"), [["failure", "drill.failed", "It failed.", "checked.tar.zst"]]);
  // No message is sent about a verification that failed without finding damage. Such a failure says nothing
  // about the backup, and the verification is retried a day later.
  assert.deepEqual(await checked("verify"), []);
});

Deno.test("a failing task is reported once a day, with how often and since when, and its recovery once", async () => {
  await using test = await setUpStreams();
  const { clock } = test;
  const fail = async (reason: string) => {
    await test.finish(await test.start(), failure(reason));
    return await test.newMessages();
  };
  assert.deepEqual((await fail("No.")).map(({ to, event, ongoing }) => [to, event, ongoing]), [
    ["failure", "backup.failed", undefined],
  ]);
  for (let hour = 1; hour < 23; hour++) {
    await clock.advance(3_600_000);
    assert.deepEqual(await fail(`No, at hour ${hour}.`), []);
  }
  await clock.advance(3_600_000);
  const [still, ...more] = await fail("Still not.");
  assert.deepEqual(more, []);
  assert.deepEqual([still!.event, still!.reason, still!.ongoing], [
    "backup.failed",
    "Still not.",
    { since: "2026-01-05T12:00:00Z", count: 24 },
  ]);
  await test.finish(await test.start(), success());
  const recovered = await test.newMessages();
  assert.deepEqual(recovered.map(({ to, event, ongoing }) => [to, event, ongoing?.count]), [
    ["success", "backup.succeeded", undefined],
    ["failure", "backup.recovered", 24],
  ]);
  await test.finish(await test.start(), success());
  assert.deepEqual(await test.short(), ["success: backup.succeeded"]);
  assert.equal((await fail("Again.")).length, 1);
});

Deno.test("each stream is reminded of a lasting problem after its own time, or never", async () => {
  await using test = await setUpStreams();
  const { at, clock, database, services } = test;
  const toStream = async (hours: number | null) => {
    const id = await newStream(services, { userId: at.caller.userId, taskId: at.taskId }, {
      on_success: false,
    });
    await database`
      update notification_streams set remind_after = ${hours && hours * 3600} where id = ${id}`;
    return id;
  };
  const streams = { often: await toStream(2), never: await toStream(0), usual: test.failures };
  const hours: Record<string, number[]> = { often: [], never: [], usual: [] };
  const collect = async (hour: number) => {
    const rows = await database<{ id: number }[]>`
      delete from notification_deliveries where event->>'event' <> 'backup.succeeded'
      returning notification_stream_id as id`;
    for (const [name, id] of Object.entries(streams)) {
      if (rows.some((row) => row.id === id)) hours[name]!.push(hour);
    }
  };
  for (let hour = 0; hour <= 24; hour++) {
    await test.finish(await test.start(), failure("No."));
    await collect(hour);
    await clock.advance(3_600_000);
  }
  assert.deepEqual(hours, {
    often: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24],
    never: [0],
    usual: [0, 23],
  });
  await test.finish(await test.start(), success());
  await collect(25);
  assert.deepEqual(Object.values(hours).map((each) => each.at(-1)), [25, 25, 25]);
});

Deno.test("a problem that an older control plane reported is not reported again before its time", async () => {
  await using test = await setUpStreams();
  const fail = async () => {
    await test.finish(await test.start(), failure("No."));
    return await test.short();
  };
  assert.deepEqual(await fail(), ["failure: backup.failed"]);
  await test.database`delete from alert_reports`;
  await test.clock.advance(22 * 3_600_000);
  assert.deepEqual(await fail(), []);
  await test.clock.advance(3_600_000);
  assert.deepEqual(await fail(), ["failure: backup.failed"]);
});

Deno.test("a task that fails and succeeds in turn is reported once a day, and its recovery once it is steady", async () => {
  await using test = await setUpStreams();
  const { clock } = test;
  const failures = async () => (await test.short()).filter((each) => each.startsWith("failure"));
  const run = async (how: RunEvent) => {
    await test.finish(await test.start(), how);
    await clock.advance(1_800_000);
    return await failures();
  };
  assert.deepEqual(await run(failure("No.")), ["failure: backup.failed"]);
  assert.deepEqual(await run(success()), ["failure: backup.recovered"]);
  // The first failure after the recovery must be reported. Otherwise the recovery would be the last message,
  // and a task that fails most of the time would appear to work.
  assert.deepEqual(await run(failure("No.")), ["failure: backup.failed"]);
  for (let hour = 1; hour < 23; hour++) {
    assert.deepEqual([...await run(success()), ...await run(failure("No."))], [], `hour ${hour}`);
  }
  assert.deepEqual([...await run(success()), ...await run(failure("No."))], ["failure: backup.failed"]);
  for (let hour = 1; hour < 23; hour++) {
    assert.deepEqual([...await run(success()), ...await run(success())], [], `steady hour ${hour}`);
  }
  assert.deepEqual([...await run(success()), ...await run(success())], ["failure: backup.recovered"]);
  assert.deepEqual(await run(success()), []);
});

Deno.test("a daily task that fails every day is reported every day, also when the clocks change", async () => {
  await using test = await setUpStreams();
  for (const hours of [24, 24, 23, 25, 24]) {
    await test.finish(await test.start(), failure("No."));
    assert.deepEqual(await test.short(), ["failure: backup.failed"]);
    await test.clock.advance(hours * 3_600_000);
  }
});

Deno.test("verifications that could not be made are reported from the second in a row on", async () => {
  await using test = await setUpStreams({ verify_every: 0 });
  const { services, at, database } = test;
  await sayHello(services, at.serverId);
  const id = await newBackup(database, at.taskId, test.clock.now(), { file_name: "checked.tar.zst" });
  const verify = async (how: RunEvent) => {
    await startVerification(services, at.caller, id, undefined);
    await test.finish(await test.assignment(), how);
    return await test.short();
  };
  const verified = { kind: "finished", verdict: { outcome: "succeeded", warnings_count: 0, verified: {} } };
  verified.verdict.verified = { files_count: 1, is_opened: true, bytes_read: 10, duration_ms: 1 };
  assert.deepEqual(await verify(failure("The destination does not answer.")), []);
  assert.deepEqual(await verify(verified as RunEvent), []);
  assert.deepEqual(await verify(failure("The destination does not answer.")), []);
  assert.deepEqual(await verify(failure("It does not answer.")), ["failure: verification.failed"]);
  assert.deepEqual(await verify(failure("It does not answer.")), []);
});

Deno.test("deleting a stream deletes its rows, and finished deliveries are deleted after a week", async () => {
  await using test = await setUpStreams();
  const { database, services, clock } = test;
  await test.finish(await test.start(), success());
  await test.finish(await test.start(), failure("No."));
  await deleteNotificationStream(services, test.at.caller, test.failures);
  assert.deepEqual(await test.short(), ["success: backup.succeeded"]);
  await database`update notification_deliveries set state = 'sent', finished_at = ${clock.now()}`;
  const count = async () => (await database`select from notification_deliveries`).length;
  await clock.advance(7 * 24 * 3_600_000);
  await deleteExpiredRows(services);
  assert.equal(await count(), 1);
  await clock.advance(1);
  await deleteExpiredRows(services);
  assert.equal(await count(), 0);
});
