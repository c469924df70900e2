import assert from "node:assert/strict";
import { event, failure, output, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import type { RunPhase } from "../../domain/run.ts";
import type { ServiceContext } from "../context.ts";
import { claimAssignments } from "./dispatch.ts";
import { compactEndedRuns } from "../installation/housekeeping.ts";
import { recordEvents } from "./run_events.ts";
import { endOverdueRuns } from "./run_deadlines.ts";
import { cancelRun, startRun } from "./runs.ts";

async function setUpRun(services: ServiceContext, task: Record<string, unknown> = {}) {
  const planted = await plant(services, task);
  await startRun(services, planted.caller, planted.taskId);
  const [assignment] = await claimAssignments(services, [planted.serverId]);
  const say = (sequence: number, body: Parameters<typeof event>[3]) =>
    event(planted.serverId, assignment!, sequence, body);
  return { ...planted, run: assignment!, say };
}

async function row(services: ServiceContext, id: number) {
  const [run] = await services.database`select * from runs where id = ${id}`;
  return run!;
}

async function text(services: ServiceContext, id: number) {
  const [all] = await services.database`
    select string_agg(text, '' order by sequence) as text from run_output where run_id = ${id}`;
  return all!.text as string | null;
}

Deno.test("a run's events are stored once, however often they are sent", async () => {
  await using test = await testServices();
  const { services } = test;
  const { run, say } = await setUpRun(services);
  const events = [say(1, { kind: "accepted" }), say(2, output("one\n")), say(3, output("two\n"))];
  await recordEvents(services, events.slice(0, 2));
  assert.equal((await row(services, run.runId)).state, "running");
  const acknowledged = await recordEvents(services, events);
  assert.deepEqual(acknowledged.map(({ sequence }) => sequence), [3]);
  await recordEvents(services, [...events, say(4, output("three\0\n"))]);
  assert.equal(await text(services, run.runId), "one\ntwo\nthree\uFFFD\n");
  assert.equal((await row(services, run.runId)).last_sequence, 4);
});

Deno.test("the phases of a run are stored with the times of their first reports", async () => {
  await using test = await testServices();
  const { services, clock } = test;
  const { run, say } = await setUpRun(services);
  const report = (sequence: number, phase: RunPhase) =>
    say(sequence, {
      kind: "progress",
      bytes_read: sequence,
      bytes_written: 0,
      files_count: null,
      bytes_per_second: 1,
      eta_seconds: null,
      phase,
    });
  const began = clock.now();
  const first = [say(1, { kind: "accepted" }), report(2, "prescript"), report(3, "prescript")];
  await recordEvents(services, first);
  await clock.advance(5000);
  const later = clock.now();
  await recordEvents(services, [report(4, "prescript")]);
  await recordEvents(services, [report(5, "prescript"), report(6, "backup"), report(7, "postscript")]);
  await recordEvents(services, [...first, report(7, "postscript"), report(8, "postscript")]);
  const { phases, phase } = await row(services, run.runId);
  assert.equal(phase, "postscript");
  assert.deepEqual(phases, [
    { phase: "prescript", started_at: began.toISOString() },
    { phase: "backup", started_at: later.toISOString() },
    { phase: "postscript", started_at: later.toISOString() },
  ]);
});

Deno.test("a success stores the backup; repeating it changes nothing", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { run, say, taskId } = await setUpRun(services);
  const events = [say(1, { kind: "accepted" }), say(2, output("x\n")), say(3, success())];
  await recordEvents(services, events);
  await recordEvents(services, events);
  const backups = await database`select * from backups`;
  assert.equal(backups.length, 1);
  assert.equal(backups[0]!.backup_task_id, taskId);
  assert.equal(backups[0]!.directory, "/backups");
  assert.equal(backups[0]!.file_name, "backup_1.tar.zst");
  assert.equal((await database`select * from backup_objects`).length, 2);
  const ended = await row(services, run.runId);
  assert.equal(ended.state, "succeeded");
  assert.equal(ended.deadline_at, null);
  assert.equal(ended.bytes_read, 100);
});

Deno.test("retention marks older backups only when the new backup is stored", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { caller, taskId, serverId } = await plant(services, { maximum_backups_to_keep: 2 });
  for (let i = 1; i <= 4; i++) {
    await startRun(services, caller, taskId);
    const [run] = await claimAssignments(services, [serverId]);
    await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
    const marked = await database`select id from backups where removal_reason = 'retention'`;
    assert.equal(marked.length, Math.max(0, i - 3));
    await recordEvents(services, [event(serverId, run!, 2, success())]);
    await clock.advance(1000);
  }
  const kept = await database`select id from backups where removal_requested_at is null order by id`;
  assert.deepEqual(kept.map(({ id }) => id), [3, 4]);
});

Deno.test("a failure keeps its reason, stores no backup and records its leftovers", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { run, say } = await setUpRun(services);
  await recordEvents(services, [
    say(1, { kind: "accepted" }),
    say(2, failure("The disk is full.", ["a.tar.zst"])),
  ]);
  const ended = await row(services, run.runId);
  assert.equal(ended.state, "failed");
  assert.equal(ended.reason, "The disk is full.");
  assert.equal(ended.warnings_count, 1);
  assert.equal((await database`select * from backups`).length, 0);
  const [leftover] = await database`select * from leftovers`;
  assert.equal(leftover!.name, "a.tar.zst");
  assert.equal(leftover!.directory, "/backups");
});

Deno.test("an older attempt's verdict is recorded and never applied", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say, serverId } = await setUpRun(services);
  await clock.advance(services.runTimes.acceptance);
  await endOverdueRuns(services);
  const [second] = await claimAssignments(services, [serverId]);
  assert.equal(second!.attempt, 2);
  await recordEvents(services, [say(1, { kind: "accepted" }), say(2, output("old\n")), say(3, success())]);
  assert.equal((await row(services, run.runId)).state, "leased");
  assert.equal(await text(services, run.runId), null);
  assert.equal((await database`select * from backups`).length, 0);
  const [attempt] = await database`select * from run_attempts where attempt = 1`;
  assert.equal(attempt!.verdict.outcome, "succeeded");
  assert.equal(attempt!.verdict_applied, false);
  // The second attempt continues, unaffected by the late events of the first.
  await recordEvents(services, [event(serverId, second!, 1, { kind: "accepted" })]);
  assert.equal((await row(services, run.runId)).state, "running");
});

Deno.test("another server's agent can't change a run", async () => {
  await using test = await testServices();
  const { services } = test;
  const { run, say } = await setUpRun(services);
  const other = await plant(services);
  const hostile = [
    event(other.serverId, run, 1, { kind: "accepted" }),
    event(other.serverId, run, 2, success()),
  ];
  await recordEvents(services, hostile);
  assert.equal((await row(services, run.runId)).state, "leased");
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  assert.equal((await row(services, run.runId)).state, "running");
});

Deno.test("a run is lost after lease and grace, and a late success of that attempt counts", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await clock.advance(services.runTimes.lease + services.runTimes.grace - 1);
  assert.equal(await endOverdueRuns(services), 0);
  await recordEvents(services, [say(2, output("still here\n"))]);
  await clock.advance(services.runTimes.lease + services.runTimes.grace);
  assert.equal(await endOverdueRuns(services), 1);
  const lost = await row(services, run.runId);
  assert.equal(lost.state, "lost");
  assert.match(lost.reason, /The agent was silent for 16 min/);
  await recordEvents(services, [say(3, output("done\n")), say(4, success())]);
  const found = await row(services, run.runId);
  assert.equal(found.state, "succeeded");
  assert.equal(found.reason, null);
  assert.equal((await database`select * from backups`).length, 1);
  assert.equal(await text(services, run.runId), "still here\ndone\n");
});

Deno.test("a success that a cancellation came too late for stays a success", async () => {
  await using test = await testServices();
  const { services } = test;
  const { run, say, caller, taskId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  assert.equal((await row(services, run.runId)).state, "cancelling");
  await recordEvents(services, [say(2, success())]);
  assert.equal((await row(services, run.runId)).state, "succeeded");
});

Deno.test("an unconfirmed cancellation ends by itself, and is sent again when the agent is back", async () => {
  await using test = await testServices();
  const { services, clock } = test;
  const { run, say, caller, taskId, serverId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  await clock.advance(services.runTimes.cancel);
  await endOverdueRuns(services);
  assert.equal((await row(services, run.runId)).state, "cancelled");
  const held = { run_id: run.runId, attempt: 1, finished: false, last_sequence: 1 };
  const { answers } = await sayHello(services, serverId, [held]);
  assert.deepEqual(answers, [{ run_id: run.runId, attempt: 1, instruction: "cancel", acknowledged: 1 }]);
});

Deno.test("the objects of a success that came too late are removed; a repeated success that counts changes nothing", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say, caller, taskId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  await clock.advance(services.runTimes.cancel);
  await endOverdueRuns(services);
  await recordEvents(services, [say(2, success())]);
  assert.equal((await row(services, run.runId)).state, "cancelled");
  const names = async () => (await database`select name from leftovers order by id`).map(({ name }) => name);
  assert.deepEqual(await names(), ["backup_1.tar.zst", "backup_1.manifest.json"]);

  const other = await setUpRun(services);
  await recordEvents(services, [other.say(1, { kind: "accepted" }), other.say(2, success())]);
  await recordEvents(services, [other.say(2, success())]);
  assert.equal((await row(services, other.run.runId)).state, "succeeded");
  assert.equal((await names()).length, 2);
});

Deno.test("a backup's object is never a leftover, whatever an agent reports", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { say, caller, serverId, taskId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" }), say(2, success())]);
  await startRun(services, caller, taskId);
  const [second] = await claimAssignments(services, [serverId]);
  await recordEvents(services, [
    event(serverId, second!, 1, { kind: "accepted" }),
    event(serverId, second!, 2, failure("no", ["backup_1.tar.zst", "mine.tar.zst"])),
  ]);
  assert.deepEqual((await database`select name from leftovers`).map(({ name }) => name), ["mine.tar.zst"]);
});

Deno.test("an older attempt's end does not affect the uploads of the newer one", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say, destinationId, serverId } = await setUpRun(services);
  await clock.advance(services.runTimes.acceptance);
  await endOverdueRuns(services);
  await claimAssignments(services, [serverId]);
  const now = clock.now();
  for (const attempt of [1, 2]) {
    await database`
      insert into uploads (id, run_id, attempt, backup_destination_id, object_key, s3_upload_id, part_size, state,
        created_at, updated_at)
      values (gen_random_uuid(), ${run.runId}, ${attempt}, ${destinationId}, ${`key ${attempt}`}, 'x', 16777216, 'open',
        ${now}, ${now})`;
  }
  await recordEvents(services, [say(1, { kind: "accepted" }), say(2, failure("no"))]);
  assert.deepEqual((await database`select name from leftovers`).map(({ name }) => name), ["key 1"]);
});

Deno.test("a verdict for a deleted destination does not delay other events", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say, caller, taskId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  await clock.advance(services.runTimes.cancel);
  await endOverdueRuns(services);
  const lost = await setUpRun(services);
  await recordEvents(services, [lost.say(1, { kind: "accepted" })]);
  await clock.advance(services.runTimes.lease + services.runTimes.grace);
  await endOverdueRuns(services);
  await database`delete from backup_tasks`;
  await database`delete from backup_destinations`;
  await recordEvents(services, [say(2, failure("no", ["a.tar.zst"])), lost.say(2, success())]);
  assert.equal((await row(services, run.runId)).state, "cancelled");
  assert.equal((await row(services, lost.run.runId)).state, "lost");
});

Deno.test("long output keeps its beginning and its end, and says what is missing", async () => {
  await using test = await testServices();
  const { services } = test;
  const { run, say } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  const line = `${"x".repeat(65_000)}\n`;
  for (let i = 0; i < 250; i += 10) {
    await recordEvents(
      services,
      Array.from({ length: 10 }, (_, j) => say(2 + i + j, output(`${i + j} ${line}`))),
    );
  }
  const stored = (await text(services, run.runId))!;
  assert.ok(stored.length < 12 * 1024 * 1024, `${stored.length}`);
  assert.match(stored, /^0 xxx/);
  assert.match(stored, /\n249 x+\n$/);
  const marker = /\[Rearguard: (\d+) characters of output were left out here\]\n/.exec(stored)!;
  const [sizes] = await services.database`select output_size, output_cut from runs where id = ${run.runId}`;
  assert.equal(Number(marker[1]), sizes!.output_cut);
  assert.equal(stored.length - marker[0].length, sizes!.output_size - sizes!.output_cut);
});

Deno.test("merged output has every line once, and keeps each event's number and end", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { run, say } = await setUpRun(services);
  const lines = Array.from({ length: 40 }, (_, i) => `${i} ${"é".repeat(20_000)}\n`);
  await recordEvents(services, [
    say(1, { kind: "accepted" }),
    ...lines.map((line, i) => say(i + 2, output(line))),
  ]);
  await recordEvents(services, [say(100, failure("no"))]);
  assert.equal(await compactEndedRuns(services), 1);
  assert.equal(await compactEndedRuns(services), 0);
  assert.equal(await text(services, run.runId), lines.join(""));
  const chunks = await database`select * from run_output order by sequence`;
  assert.ok(chunks.length > 1 && chunks.length < 10, `${chunks.length}`);
  const pieces = chunks.flatMap(({ text, sequences, ends }) =>
    sequences.map((sequence: number, i: number) => [sequence, text.slice(i === 0 ? 0 : ends[i - 1], ends[i])])
  );
  assert.deepEqual(pieces, lines.map((line, i) => [i + 2, line]));
});

Deno.test("a success whose objects were removed meanwhile does not count", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { run, say, destinationId } = await setUpRun(services);
  await recordEvents(services, [say(1, { kind: "accepted" })]);
  await clock.advance(services.runTimes.lease + services.runTimes.grace);
  await endOverdueRuns(services);
  const now = clock.now();
  await database`
    insert into uploads (id, run_id, attempt, backup_destination_id, object_key, s3_upload_id, part_size, state, size,
      created_at, updated_at)
    values (gen_random_uuid(), ${run.runId}, 1, ${destinationId}, 'a', 'x', 16777216, 'removed', 10, ${now}, ${now})`;
  await recordEvents(services, [say(2, success())]);
  assert.equal((await row(services, run.runId)).state, "lost");
  assert.equal((await database`select * from backups`).length, 0);
});
