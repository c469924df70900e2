import assert from "node:assert/strict";
import { event, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import type { BackupJob } from "../../protocol/job.ts";
import { type Assignment, claimAssignments } from "./dispatch.ts";
import { recordEvents } from "./run_events.ts";
import { cancelTimedOutRuns, endOverdueRuns } from "./run_deadlines.ts";
import { cancelRun, startRun } from "./runs.ts";

Deno.test("of two simultaneous requests, one starts the run", async () => {
  await using test = await testServices();
  const { services } = test;
  const { caller, taskId } = await plant(services);
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => startRun(services, caller, taskId)),
  );
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 7);
  for (const { reason } of refused) {
    assert.ok(reason instanceof ConflictError);
    assert.equal(
      reason.message,
      "The backup task is already queued. Wait until it has finished, or cancel it.",
    );
  }
});

Deno.test("a manual run is refused if the server is at its limit, or if the task is paused or another user's", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  const [other] = await database<{ id: number }[]>`
    insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
      time_to_run_at, timezone, created_at, updated_at)
    select user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency, time_to_run_at, timezone,
      created_at, updated_at from backup_tasks where id = ${taskId} returning id`;
  await startRun(services, caller, taskId);
  await assert.rejects(startRun(services, caller, other!.id), /at its limit of 1 backup run at once/);
  await database`update remote_servers set runs_at_once = 2 where id = ${serverId}`;
  await startRun(services, caller, other!.id);
  await cancelRun(services, caller, other!.id);
  await database`update backup_tasks set paused_at = now() where id = ${other!.id}`;
  await assert.rejects(startRun(services, caller, other!.id), /is paused. Resume it/);
  const stranger = await plant(services);
  await assert.rejects(startRun(services, stranger.caller, taskId), NotFoundError);
  await assert.rejects(cancelRun(services, stranger.caller, taskId), NotFoundError);
});

Deno.test("replicas that claim at the same time dispatch a run once", async () => {
  await using test = await testServices();
  const { services } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  const claims = await Promise.all(Array.from({ length: 6 }, () => claimAssignments(services, [serverId])));
  assert.equal(claims.flat().length, 1);
  const [assignment] = claims.flat();
  assert.equal(assignment!.attempt, 1);
  assert.equal(backupOf(assignment).source.type, "files");
  assert.match(backupOf(assignment).object.prefix, /^backup_\d+$/);
  assert.equal(backupOf(assignment).object.stamp, "20260105120000");
});

Deno.test("the dispatch decrypts secrets for the wire and stores none in plain text", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const sealed = services.keyring.encrypt("hunter2 ☂");
  const { caller, taskId, serverId } = await plant(services, { encryption_password_encrypted: sealed });
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  assert.deepEqual(backupOf(assignment).encryption, { type: "password", password: "hunter2 ☂" });
  const dump = await database`select to_jsonb(r) as row from runs r`;
  assert.doesNotMatch(JSON.stringify(dump), /hunter2/);
});

Deno.test("the dispatch names the recipients, and records them in the run", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services, { encryption_recipients: ["age1a", "age1b"] });
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  assert.deepEqual(backupOf(assignment).encryption, { type: "recipients", recipients: ["age1a", "age1b"] });
  assert.equal(backupOf(assignment).encryption_password, undefined);
  const [run] = await database`select encryption_recipients from runs`;
  assert.deepEqual(run!.encryption_recipients, ["age1a", "age1b"]);
});

Deno.test("an agent of protocol 1 gets a password in its own form, and no job with recipients", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const sealed = services.keyring.encrypt("hunter2");
  const { caller, taskId, serverId } = await plant(services, { encryption_password_encrypted: sealed });
  await sayHello(services, serverId, [], 1);
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  const job = backupOf(assignment);
  assert.deepEqual([job.encryption_password, job.encryption], ["hunter2", undefined]);
  await database`delete from runs`;
  await database`update backup_tasks set encryption_password_encrypted = null, encryption_recipients = '{age1a}'`;
  await startRun(services, caller, taskId);
  assert.deepEqual(await claimAssignments(services, [serverId]), []);
  const [run] = await database`select state, reason from runs`;
  assert.equal(run!.state, "failed");
  assert.match(run!.reason, /^The agent of server is too old to encrypt to recipients\. Install/);
});

Deno.test("a secret that no key decrypts fails the run with that reason", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services, {
    encryption_password_encrypted: "v1:00000000:AAAA",
  });
  await startRun(services, caller, taskId);
  assert.deepEqual(await claimAssignments(services, [serverId]), []);
  const [run] = await database`select state, reason from runs`;
  assert.equal(run!.state, "failed");
  assert.match(run!.reason, /sealed with key 00000000, which SECRET_KEY does not hold/);
});

Deno.test("an offer that is not accepted is repeated, until the start deadline", async () => {
  await using test = await testServices({ runTimes: { start: 70_000 } });
  const { services, clock, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  for (const attempt of [1, 2]) {
    const [assignment] = await claimAssignments(services, [serverId]);
    assert.equal(assignment!.attempt, attempt);
    await clock.advance(services.runTimes.acceptance);
    await endOverdueRuns(services);
  }
  await clock.advance(10_000);
  await endOverdueRuns(services);
  const [run] = await database`select state, reason from runs`;
  assert.equal(run!.state, "failed");
  assert.match(run!.reason, /^No agent accepted the run within 70 s/);
});

Deno.test("an acceptance after the offer expired counts, and the run is not offered again", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  await clock.advance(services.runTimes.acceptance);
  await endOverdueRuns(services);
  const held = { run_id: assignment!.runId, attempt: 1, finished: false, last_sequence: 1 };
  const { answers } = await sayHello(services, serverId, [held]);
  assert.equal(answers[0]!.instruction, "continue");
  assert.deepEqual(await claimAssignments(services, [serverId]), []);
  const [run] = await database`select state from runs`;
  assert.equal(run!.state, "running");
});

Deno.test("a queued run is cancelled at once, and a second cancellation is refused", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId } = await plant(services);
  await startRun(services, caller, taskId);
  await cancelRun(services, caller, taskId);
  const [run] = await database`select state, reason from runs`;
  assert.equal(run!.state, "cancelled");
  assert.equal(run!.reason, "Cancelled by request.");
  await assert.rejects(cancelRun(services, caller, taskId), /no run in progress/);
});

Deno.test("a run past its task's timeout is cancelled if the agent did not end it", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { caller, taskId, serverId } = await plant(services, { run_timeout: 10 });
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  assert.equal(backupOf(assignment).timeout_ms, 10_000);
  await recordEvents(services, [event(serverId, assignment!, 1, { kind: "accepted" })]);
  await clock.advance(10_000 + services.runTimes.lease - 1);
  assert.equal(await cancelTimedOutRuns(services), 0);
  await clock.advance(1);
  assert.equal(await cancelTimedOutRuns(services), 1);
  const [run] = await database`select state, reason from runs`;
  assert.equal(run!.state, "cancelling");
  assert.match(run!.reason, /run timeout/);
});

Deno.test("a hello without a run that the agent should have ends the run", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  const [first] = await claimAssignments(services, [serverId]);
  await sayHello(services, serverId);
  const [queued] = await database`select state from runs`;
  assert.equal(queued!.state, "queued");
  const [second] = await claimAssignments(services, [serverId]);
  assert.equal(second!.attempt, first!.attempt + 1);
  await recordEvents(services, [event(serverId, second!, 1, { kind: "accepted" })]);
  await sayHello(services, serverId);
  const [failed] = await database`select state, reason from runs`;
  assert.equal(failed!.state, "failed");
  assert.match(failed!.reason, /no longer knows this run/);
});

Deno.test("the response to a hello has an instruction for each run", async () => {
  await using test = await testServices();
  const { services } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  await recordEvents(services, [event(serverId, assignment!, 1, { kind: "accepted" })]);
  const held = { run_id: assignment!.runId, attempt: 1, finished: true, last_sequence: 2 };
  const stale = { run_id: assignment!.runId, attempt: 7, finished: false, last_sequence: 3 };
  const unknown = { run_id: 4711, attempt: 1, finished: false, last_sequence: 3 };
  const first = await sayHello(services, serverId, [held, stale, unknown]);
  assert.deepEqual(first.answers.map(({ instruction, acknowledged }) => [instruction, acknowledged]), [
    ["continue", 1],
    ["cancel", 0],
    ["forget", 3],
  ]);
  await recordEvents(services, [event(serverId, assignment!, 2, success())]);
  const second = await sayHello(services, serverId, [held]);
  assert.deepEqual(second.answers[0], {
    run_id: held.run_id,
    attempt: 1,
    instruction: "continue",
    acknowledged: 2,
  });
});

Deno.test("two runs of a task within a second get different object names", async () => {
  await using test = await testServices();
  const { services } = test;
  const { caller, taskId, serverId } = await plant(services);
  const stamps: string[] = [];
  for (let i = 0; i < 3; i++) {
    await startRun(services, caller, taskId);
    const [run] = await claimAssignments(services, [serverId]);
    await recordEvents(services, [
      event(serverId, run!, 1, { kind: "accepted" }),
      event(serverId, run!, 2, success()),
    ]);
    stamps.push(backupOf(run).object.stamp);
  }
  assert.deepEqual(stamps, ["20260105120000", "20260105120001", "20260105120002"]);
});

function backupOf(assignment: Assignment | undefined): BackupJob {
  assert.equal(assignment?.job.kind, "backup");
  return assignment!.job as BackupJob;
}

Deno.test("a run without a possible job fails with the reason, and does not delay others", async () => {
  await using test = await testServices();
  const { database } = test;
  const keyring = new Proxy(test.services.keyring, {
    get: (target, name) => {
      if (name !== "decryptOptional") return Reflect.get(target, name, target);
      return (value: string | null) => {
        if (value === "poison") throw new RangeError("out of range");
        return target.decryptOptional(value);
      };
    },
  });
  const services = { ...test.services, keyring };
  const broken = await plant(services, { encryption_password_encrypted: "poison" });
  await startRun(services, broken.caller, broken.taskId);
  const whole = await plant(services);
  await database`update backup_tasks set remote_server_id = ${broken.serverId} where id = ${whole.taskId}`;
  await database`update remote_servers set runs_at_once = 2`;
  await startRun(services, whole.caller, whole.taskId);
  const claimed = await claimAssignments(services, [broken.serverId]);
  assert.equal(claimed.length, 1);
  const runs = await database`select state, reason from runs order by id`;
  assert.deepEqual([...runs].map(({ state }) => state), ["failed", "leased"]);
  assert.match(runs[0]!.reason, /^Cannot build the job of the run: out of range\. Check its task/);
});
