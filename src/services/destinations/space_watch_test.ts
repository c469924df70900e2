import assert from "node:assert/strict";
import { event, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";

/**
 * Creates a task. Returns the test's services with a function `backUp`. The function stores a backup while
 * `free` GB of 100 GB are free. It returns the notifications that this backup causes.
 */
async function setUp(settings: Record<string, unknown> = {}) {
  const test = await testServices();
  const { database, services } = test;
  const destination = { settings: { local_path: "/backups", ...settings } };
  const at = await plant(services, {}, destination);
  await newStream(services, { userId: at.caller.userId, taskId: null }, { on_success: false });
  return {
    ...test,
    async backUp(free: number) {
      await startRun(services, at.caller, at.taskId);
      const [run] = await claimAssignments(services, [at.serverId]);
      const report = structuredClone(success());
      assert.ok("verdict" in report && "backup" in report.verdict);
      Object.assign(report.verdict.backup!, { space: { free: free * 1e9, total: 100e9 } });
      await recordEvents(services, [event(at.serverId, run!, 1, { kind: "accepted" })]);
      await recordEvents(services, [event(at.serverId, run!, 2, report)]);
      const rows = await database<{ event: NotificationEvent }[]>`
        delete from notification_deliveries returning event`;
      return rows.map(({ event: { event, reason } }) => `${event}: ${reason}`);
    },
  };
}

Deno.test("a destination that is nearly full is reported once, and again when it has clearly more room", async () => {
  await using test = await setUp();
  assert.deepEqual(await test.backUp(11), []);
  const [row] = await test.database`select * from backup_destinations`;
  assert.deepEqual([row!.space_free_bytes, row!.space_total_bytes], [11e9, 100e9]);
  assert.deepEqual(row!.space_measured_at, test.clock.now());
  assert.deepEqual(await test.backUp(9), [
    "destination.nearly_full: here (1): 9.0 % of 100.0 GB is free.",
  ]);
  for (const free of [8, 10, 12, 9, 14]) assert.deepEqual(await test.backUp(free), [], `${free} GB`);
  assert.deepEqual(await test.backUp(15), ["destination.has_room: here (1): 15.0 % of 100.0 GB is free."]);
  assert.deepEqual(await test.backUp(12), []);
  await test.backUp(5);
  await test.clock.advance(23 * 3_600_000);
  assert.equal((await test.backUp(4)).length, 1);
});

Deno.test("the limit is a setting of the destination, and 0 turns it off", async () => {
  await using strict = await setUp({ nearly_full_below: 50 });
  assert.equal((await strict.backUp(49)).length, 1);
  await strict.database`
    update backup_destinations set settings = settings || '{"nearly_full_below": 0}'`;
  assert.deepEqual(await strict.backUp(0), ["destination.has_room: here (1): 0.0 % of 100.0 GB is free."]);
  assert.deepEqual(await strict.backUp(0), []);
});
