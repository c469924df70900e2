import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { event, failure } from "../../../tests/support/clients/events.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import type { RunEvent } from "../../protocol/wire_messages.ts";
import { queueDueDrills } from "./drills.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { queueDueVerifications } from "./verifications.ts";

const DAY = 24 * 3_600_000;

const proven: RunEvent = {
  kind: "finished",
  verdict: {
    outcome: "succeeded",
    warnings_count: 0,
    proven: { files_count: 3, bytes_read: 1000, restore_ms: 1234, duration_ms: 2000 },
  },
};

Deno.test("a task's newest backup is drilled a day after the task's creation, then every drill_every days", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await plant(services, { drill_every: 10, verify_every: 0 });
  await sayHello(services, at.serverId);
  const end = async (how: RunEvent) => {
    const [run] = await claimAssignments(services, [at.serverId]);
    assert.ok(run!.job.kind === "drill");
    await recordEvents(services, [
      event(at.serverId, run!, 1, { kind: "accepted" }),
      event(at.serverId, run!, 2, how),
    ]);
    return { id: run!.job.backup.id, bytes: run!.job.bytes_read };
  };
  await newBackup(database, at.taskId, clock.now());
  const newest = await newBackup(database, at.taskId, clock.now());
  assert.equal(await queueDueDrills(services), 0);
  await clock.advance(DAY);
  const queued = await Promise.all([1, 2, 3, 4].map(() => queueDueDrills(services)));
  assert.equal(queued.reduce((sum, count) => sum + count), 1);
  await database`update backup_tasks set verify_every = 1`;
  assert.equal(await queueDueVerifications(services), 0, "one check at a time");
  await database`update backup_tasks set verify_every = 0`;
  // A failed drill is repeated a day later. It does not mark the backup as damaged.
  assert.deepEqual(await end(failure("There was no room")), { id: newest, bytes: 5000 });
  await clock.advance(DAY - 1);
  assert.equal(await queueDueDrills(services), 0);
  await clock.advance(1);
  assert.equal(await queueDueDrills(services), 1);
  await end(proven);
  const provenAt = clock.now();
  const [backup] =
    await database`select proven_at, drill_duration_ms, damaged_at from backups where id = ${newest}`;
  assert.deepEqual({ ...backup }, { proven_at: provenAt, drill_duration_ms: 1234, damaged_at: null });
  // The task keeps the result of its last drill after the backup is deleted.
  await database`delete from backups where id = ${newest}`;
  const [task] = await database`select last_proven_at, restore_duration_ms from backup_tasks`;
  assert.deepEqual({ ...task }, { last_proven_at: provenAt, restore_duration_ms: 1234 });
  await clock.advance(10 * DAY - 1);
  assert.equal(await queueDueDrills(services), 0);
  await clock.advance(1);
  assert.equal(await queueDueDrills(services), 1);
});

Deno.test("no drill is queued for a backup that can't be restored here, or if the task disables drills", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const at = await plant(services);
  await sayHello(services, at.serverId);
  await newBackup(database, at.taskId, clock.now());
  await clock.advance(100 * DAY);
  const refusals: [table: string, change: Record<string, unknown>, back: Record<string, unknown>][] = [
    ["backups", { encryption: "recipients", encryption_recipients: ["age1"], encrypted: true }, {
      encryption: "none",
      encryption_recipients: [],
      encrypted: false,
    }],
    ["backups", { engine: "rearguard" }, { engine: "tar" }],
    ["backups", { damaged_at: clock.now() }, { damaged_at: null }],
    ["backup_tasks", { drill_every: 0 }, { drill_every: 30 }],
    ["backup_tasks", { paused_at: clock.now() }, { paused_at: null }],
    ["remote_servers", { agent_protocol: 1 }, { agent_protocol: 2 }],
  ];
  for (const [table, change, back] of refusals) {
    await database`update ${database(table)} set ${database(change)}`;
    assert.equal(await queueDueDrills(services), 0, JSON.stringify(change));
    await database`update ${database(table)} set ${database(back)}`;
  }
  assert.equal(await queueDueDrills(services), 1);
});
