import assert from "node:assert/strict";
import { type TestServices, testServices } from "../../../tests/support/fixtures/database.ts";
import { event, failure } from "../../../tests/support/clients/events.ts";
import { plant, type Planted, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { ConflictError } from "../../domain/errors.ts";
import type { RunEvent } from "../../protocol/wire_messages.ts";
import { clearDamage } from "./backups.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";
import { startDrill } from "./drills.ts";
import { queueDueVerifications, startVerification } from "./verifications.ts";

const DAY = 24 * 3_600_000;

const whole: RunEvent = {
  kind: "finished",
  verdict: {
    outcome: "succeeded",
    warnings_count: 0,
    verified: { files_count: 3, is_opened: true, bytes_read: 1000, duration_ms: 5 },
  },
};

const proven: RunEvent = {
  kind: "finished",
  verdict: {
    outcome: "succeeded",
    warnings_count: 0,
    proven: { files_count: null, bytes_read: 1000, restore_ms: 5, duration_ms: 9 },
  },
};

function failureWithDamage(damage: string | undefined): RunEvent {
  const { kind, verdict } = failure("Why it failed") as RunEvent & { kind: "finished" };
  return { kind, verdict: { ...verdict, ...(damage === undefined ? {} : { damage }) } as typeof verdict };
}

interface Stage extends Planted {
  /**
   * Dispatches the queued runs and ends them with the verdict `how`. Returns the ids of the backups that the
   * runs read.
   */
  end(how: RunEvent): Promise<number[]>;
  // deno-lint-ignore no-explicit-any
  row(id: number): Promise<any>;
}

async function stage(test: TestServices, task: Record<string, unknown> = {}): Promise<Stage> {
  const planted = await plant(test.services, task);
  await sayHello(test.services, planted.serverId);
  return {
    ...planted,
    async end(how) {
      const runs = await claimAssignments(test.services, [planted.serverId]);
      for (const run of runs) {
        await recordEvents(test.services, [
          event(planted.serverId, run, 1, { kind: "accepted" }),
          event(planted.serverId, run, 2, how),
        ]);
      }
      return runs.map(({ job }) => job.kind === "verify" ? job.backup.id : 0);
    },
    async row(id) {
      return (await test.database`select * from backups where id = ${id}`)[0]!;
    },
  };
}

Deno.test("stored backups are verified in turn, one at a time, the longest unchecked first", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test);
  const old = await newBackup(database, at.taskId, clock.now());
  await clock.advance(DAY);
  const young = await newBackup(database, at.taskId, clock.now());
  await clock.advance(6 * DAY - 1);
  assert.equal(await queueDueVerifications(services), 0);
  await clock.advance(1);
  // Four control planes look for due verifications at the same time. Only one of them queues the
  // verification.
  const queued = await Promise.all([1, 2, 3, 4].map(() => queueDueVerifications(services)));
  assert.equal(queued.reduce((sum, count) => sum + count), 1);
  const [run] = await database`select * from runs`;
  assert.deepEqual([run!.kind, run!.trigger, run!.backup_id], ["verify", "schedule", old]);
  assert.equal(run!.scheduled_for.getTime(), clock.now().getTime());
  await clock.advance(DAY);
  assert.equal(await queueDueVerifications(services), 0, "another one is at work");
  assert.deepEqual(await at.end(whole), [old]);
  assert.equal((await at.row(old)).verified_at.getTime(), clock.now().getTime());
  assert.equal(await queueDueVerifications(services), 1);
  assert.deepEqual(await at.end(whole), [young]);
  assert.equal(await queueDueVerifications(services), 0);
  await clock.advance(7 * DAY);
  assert.equal(await queueDueVerifications(services), 1);
  assert.deepEqual(await at.end(whole), [old]);
});

Deno.test("nothing is verified automatically if the task disables it, is paused, or no agent is connected", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test, { verify_every: 0 });
  const id = await newBackup(database, at.taskId, clock.now());
  await clock.advance(100 * DAY);
  const due = async (change: Record<string, unknown>, table = "backup_tasks") => {
    await database`update ${database(table)} set ${database(change)}`;
    return await queueDueVerifications(services);
  };
  assert.equal(await due({ verify_every: 0 }), 0);
  assert.equal(await due({ verify_every: 1, paused_at: clock.now() }), 0);
  await database`update backup_tasks set paused_at = null`;
  assert.equal(await due({ connection_id: null, connection_replica_id: null }, "remote_servers"), 0);
  await sayHello(services, at.serverId, [], 1);
  assert.equal(await queueDueVerifications(services), 0, "the agent knows no verifications");
  await sayHello(services, at.serverId);
  const removal = { removal_requested_at: clock.now(), removal_reason: "request" };
  assert.equal(await due(removal, "backups"), 0);
  assert.equal(await due({ removal_requested_at: null, removal_reason: null }, "backups"), 1);
  assert.deepEqual(await at.end(whole), [id]);
});

Deno.test("damage is kept until the backup is found whole; a check that could not be made changes nothing", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test);
  const id = await newBackup(database, at.taskId, clock.now());
  const verify = async (how: RunEvent) => {
    await clock.advance(1000);
    await startVerification(services, at.caller, id, undefined);
    await at.end(how);
    const { verified_at, damaged_at, damage_reason } = await at.row(id);
    return [verified_at?.getTime() ?? null, damaged_at?.getTime() ?? null, damage_reason];
  };
  const start = clock.now().getTime();
  assert.deepEqual(await verify(failureWithDamage(undefined)), [null, null, null]);
  assert.deepEqual(await verify(whole), [start + 2000, null, null]);
  assert.deepEqual(await verify(failureWithDamage("x: flipped")), [start + 2000, start + 3000, "x: flipped"]);
  assert.deepEqual(await verify(failureWithDamage(undefined)), [start + 2000, start + 3000, "x: flipped"]);
  assert.deepEqual(await verify(failureWithDamage("x: gone")), [start + 2000, start + 3000, "x: gone"]);
  assert.deepEqual(await verify(whole), [start + 6000, null, null]);
  const [run] =
    await database`select state, reason from runs where reason is not null order by id desc limit 1`;
  assert.deepEqual({ ...run }, { state: "failed", reason: "Why it failed" });
});

Deno.test("damage found by a drill stays until a drill succeeds or a user clears it, whatever a verification says", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test);
  const id = await newBackup(database, at.taskId, clock.now());
  const damage = async () => {
    const { damaged_at, damage_reason } = await at.row(id);
    return [damaged_at?.getTime() ?? null, damage_reason];
  };
  const drill = async (how: RunEvent) => {
    await clock.advance(1000);
    await startDrill(services, at.caller, id, undefined);
    await at.end(how);
    return await damage();
  };
  const verify = async (how: RunEvent) => {
    await clock.advance(1000);
    await startVerification(services, at.caller, id, undefined);
    await at.end(how);
    return await damage();
  };
  const first = clock.now().getTime() + 1000;
  const rows = "database shop differs from the original: 0 rows";
  assert.deepEqual(await drill(failureWithDamage(rows)), [first, rows]);
  assert.deepEqual(await verify(whole), [first, rows]);
  // A successful verification clears only damage that a verification can find, and a successful drill only
  // damage that a drill can find. If the backup then still has damage of the other kind, it shows the reason
  // of that damage.
  assert.deepEqual(await verify(failureWithDamage("x: flipped")), [first, "x: flipped"]);
  assert.deepEqual(await verify(whole), [first, rows]);
  await verify(failureWithDamage("x: flipped"));
  assert.deepEqual(await drill(proven), [first, "x: flipped"]);
  assert.deepEqual(await verify(whole), [null, null]);
  await drill(failureWithDamage(rows));
  assert.deepEqual(await drill(proven), [null, null]);
  await drill(failureWithDamage(rows));
  await clearDamage(services, at.caller, id);
  assert.deepEqual(await damage(), [null, null]);
});

Deno.test("a scheduled verification that could not be made is repeated a day later", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test);
  await newBackup(database, at.taskId, clock.now());
  await clock.advance(7 * DAY);
  assert.equal(await queueDueVerifications(services), 1);
  await at.end(failureWithDamage(undefined));
  await clock.advance(DAY - 1);
  assert.equal(await queueDueVerifications(services), 0);
  await clock.advance(1);
  assert.equal(await queueDueVerifications(services), 1);
  // A verification that finds damage counts as complete, so it is not repeated a day later. The next
  // verification is due at the same time as after a success.
  await at.end(failureWithDamage("x: gone"));
  await clock.advance(DAY);
  assert.equal(await queueDueVerifications(services), 0);
});

Deno.test("if backups are removed before their days have passed, the newest is verified as often", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test, { verify_every: 3 });
  const verified: number[] = [];
  for (let day = 0; day < 8; day++) {
    await database`delete from backups`;
    await newBackup(database, at.taskId, clock.now());
    const last = await newBackup(database, at.taskId, clock.now());
    while (await queueDueVerifications(services) > 0) {
      assert.deepEqual(await at.end(whole), [last], verified.push(day) + "");
    }
    await clock.advance(DAY);
  }
  assert.deepEqual(verified, [3, 6]);
});

Deno.test("a verification takes no backup's slot, and a server does one at a time", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await stage(test);
  const ids = [
    await newBackup(database, at.taskId, clock.now()),
    await newBackup(database, at.taskId, clock.now()),
  ];
  for (const id of ids) await startVerification(services, at.caller, id, undefined);
  const again = startVerification(services, at.caller, ids[0]!, undefined);
  await assert.rejects(
    again,
    (error) => error instanceof ConflictError && /is queued already/.test(error.message),
  );
  const kinds = async () => (await claimAssignments(services, [at.serverId])).map(({ job }) => job.kind);
  assert.deepEqual(await kinds(), ["verify"]);
  await startRun(services, at.caller, at.taskId);
  assert.deepEqual(await kinds(), ["backup"]);
  assert.deepEqual(await kinds(), []);
});
