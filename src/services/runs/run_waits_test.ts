import assert from "node:assert/strict";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { NotFoundError } from "../../domain/errors.ts";
import { claimAssignments } from "./dispatch.ts";
import { explainRun } from "./run_waits.ts";
import { cancelRun, startRun } from "./runs.ts";

Deno.test("a run says what it waits for in each of its states, until when, and what happens then", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const { caller, taskId, serverId } = await plant(services);
  const { runId } = await startRun(services, caller, taskId);
  const why = () => explainRun(services, caller, runId);
  const state = (values: Record<string, unknown>) =>
    database`update runs set ${database(values)} where id = ${runId}`;
  const inHours = (hours: number) => new Date(clock.now().getTime() + hours * 3_600_000);

  const never = await why();
  assert.deepEqual([never.status, never.waiting_for, never.until], ["queued", "agent", inHours(24)]);
  assert.match(never.message, /^The agent of server server has never been connected\. Install it: /);
  assert.match(never.then!, /fails/);

  await sayHello(services, serverId);
  assert.equal((await why()).waiting_for, "dispatch");

  await claimAssignments(services, [serverId]);
  const leased = await why();
  assert.deepEqual([leased.status, leased.waiting_for, leased.until], [
    "queued",
    "acceptance",
    new Date(clock.now().getTime() + services.runTimes.acceptance),
  ]);

  await state({ state: "running", started_at: clock.now(), deadline_at: inHours(1), timeout_at: inHours(3) });
  const running = await why();
  assert.deepEqual([running.status, running.waiting_for, running.until, running.then], [
    "running",
    null,
    inHours(3),
    "It is cancelled, because it exceeds its run timeout.",
  ]);

  await database`update remote_servers set connection_id = null`;
  const alone = await why();
  assert.deepEqual([alone.waiting_for, alone.until], ["agent", inHours(1)]);
  assert.match(alone.message, /is not connected\. It continues the run by itself/);

  await cancelRun(services, caller, taskId);
  const cancelling = await why();
  assert.equal(cancelling.waiting_for, "cancellation");
  assert.match(cancelling.message, /will be asked to cancel it when it is/);

  await state({ state: "lost", deadline_at: null, finished_at: clock.now() });
  assert.match((await why()).message, /reports a success, it counts as successful/);

  await state({ state: "failed", reason: "The disk is full." });
  const over = await why();
  assert.deepEqual([over.status, over.waiting_for, over.until], ["failed", null, null]);
  assert.equal(over.message, "It is over: failed. The disk is full.");

  const stranger = await plant(services);
  await assert.rejects(explainRun(services, stranger.caller, runId), NotFoundError);
});

Deno.test("a run that waits for a slot names the runs before it, restores first", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const { caller, taskId, serverId } = await plant(services);
  await sayHello(services, serverId);
  const insert = async (kind: string, state: string) => {
    const [row] = await database<{ id: number }[]>`
      insert into runs ${
      database({
        user_id: caller.userId,
        kind,
        backup_task_id: kind === "backup" && state === "running" ? taskId : null,
        remote_server_id: serverId,
        trigger: "manual",
        state,
        attempt: state === "queued" ? 0 : 1,
        deadline_at: clock.now(),
        created_at: clock.now(),
      })
    } returning id`;
    return row!.id;
  };
  const running = await insert("backup", "running");
  const backup = await insert("backup", "queued");
  const check = await insert("verify", "queued");
  const restore = await insert("restore", "queued");
  const ahead = async (id: number) => {
    const { waiting_for, runs_ahead } = await explainRun(services, caller, id);
    return [waiting_for, runs_ahead];
  };
  assert.deepEqual(await ahead(backup), ["capacity", [running, restore]]);
  assert.deepEqual(await ahead(restore), ["capacity", [running]]);
  assert.deepEqual(await ahead(check), ["dispatch", []]);
  assert.match(
    (await explainRun(services, caller, backup)).message,
    new RegExp(`does one run at once, and others come first: ${running}, ${restore}\\.$`),
  );
  // With two slots, the restore takes the second slot, and the backup still waits.
  await database`update remote_servers set runs_at_once = 2`;
  assert.deepEqual(await ahead(restore), ["dispatch", []]);
  assert.deepEqual(await ahead(backup), ["capacity", [running, restore]]);
});
