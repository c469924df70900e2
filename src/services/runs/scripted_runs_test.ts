/** Tests how the control plane handles runs of tasks with scripts. */
import assert from "node:assert/strict";
import { event, success } from "../../../tests/support/clients/events.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import type { BackupJob } from "../../protocol/job.ts";
import type { Verdict } from "../../protocol/wire_messages.ts";
import { updateBackupTask } from "../tasks/backup_tasks.ts";
import { createScript, updateScript } from "../tasks/scripts.ts";
import { claimAssignments } from "./dispatch.ts";
import { recordEvents } from "./run_events.ts";
import { cancelRun, startRun } from "./runs.ts";

async function scripted(task: Record<string, unknown> = {}) {
  const test = await testServices();
  const { services, database } = test;
  const planted = await plant(services, task);
  const { caller, serverId, taskId } = planted;
  const script = (label: string, type: "prescript" | "postscript", timeout_seconds: number) =>
    createScript(services, caller, { label, type, script: `echo ${label}\n`, timeout_seconds });
  const scripts = [await script("post", "postscript", 100), await script("pre", "prescript", 7)];
  await updateBackupTask(services, caller, taskId, { script_ids: scripts.map(({ id }) => id) });
  return {
    ...test,
    ...planted,
    scripts,
    async start() {
      const { runId } = await startRun(services, caller, taskId);
      const [run] = await claimAssignments(services, [serverId]);
      return { runId, run };
    },
    async row(id: number) {
      const [row] = await database`select * from runs where id = ${id}`;
      return row!;
    },
  };
}

Deno.test("a job has the scripts as they are at its dispatch, in the task's order", async () => {
  await using test = await scripted({ run_timeout: 60 });
  const { caller, clock, scripts, services, serverId, taskId } = test;
  await startRun(services, caller, taskId);
  await updateScript(services, caller, scripts[0]!.id, { script: "echo changed\n", run_as: "nobody" });
  const [run] = await claimAssignments(services, [serverId]);
  assert.deepEqual((run!.job as BackupJob).scripts, [
    {
      id: scripts[0]!.id,
      label: "post",
      type: "postscript",
      text: "echo changed\n",
      timeout_ms: 100_000,
      run_as: "nobody",
      on_failure: "fail",
    },
    {
      id: scripts[1]!.id,
      label: "pre",
      type: "prescript",
      text: "echo pre\n",
      timeout_ms: 7_000,
      run_as: null,
      on_failure: "fail",
    },
  ]);
  // The timeouts of scripts after the backup are added to the run timeout, and to the time limit for
  // cancelling.
  const later = (ms: number) => new Date(clock.now().getTime() + ms);
  assert.deepEqual((await test.row(run!.runId)).timeout_at, later(160_000));
  await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  assert.deepEqual((await test.row(run!.runId)).deadline_at, later(services.runTimes.cancel + 100_000));
});

Deno.test("an agent that is older than scripts gets no run that has some", async () => {
  await using test = await scripted();
  const { services, serverId } = test;
  await sayHello(services, serverId, [], 4);
  const { run, runId } = await test.start();
  assert.equal(run, undefined);
  const { state, reason } = await test.row(runId);
  assert.equal(state, "failed");
  assert.match(reason, /^The agent of server is too old to run scripts\. Install its current version/);
  await updateBackupTask(services, test.caller, test.taskId, { script_ids: [] });
  assert.equal("scripts" in (await test.start()).run!.job, false);
});

Deno.test("a control plane that is older than scripts leaves their runs in the queue", async () => {
  await using test = await scripted();
  const { caller, database, services, taskId } = test;
  const { runId } = await startRun(services, caller, taskId);
  const lease = (more: Record<string, unknown> = {}) =>
    database`update runs set ${database({ state: "leased", attempt: 1, ...more })} where id = ${runId}`;
  assert.equal((await lease()).count, 0);
  assert.equal((await test.row(runId)).state, "queued");
  assert.equal((await lease({ script_seconds: 100 })).count, 1);
  // The run is in the queue again. A control plane that does not set `script_seconds` again cannot lease it.
  await database`update runs set state = 'queued' where id = ${runId}`;
  assert.equal((await lease()).count, 0);
  await database`delete from backup_task_scripts`;
  assert.equal((await lease()).count, 1);
});

function storedFailure(): Verdict {
  const stored = success();
  assert.ok(
    stored.kind === "finished" && stored.verdict.outcome === "succeeded" && "backup" in stored.verdict,
  );
  const { backup } = stored.verdict;
  const reason = "The backup is stored. A script failed.";
  return {
    outcome: "failed",
    warnings_count: 0,
    reason,
    leftovers: backup.objects.map(({ name }) => name),
    backup,
  };
}

Deno.test("a run that failed after its backup keeps the backup, however often it says so", async () => {
  await using test = await scripted();
  const { database, serverId, services } = test;
  const { run, runId } = await test.start();
  const events = [
    event(serverId, run!, 1, { kind: "accepted" }),
    event(serverId, run!, 2, { kind: "finished", verdict: storedFailure() }),
  ];
  await recordEvents(services, events);
  await recordEvents(services, events);
  const { state, reason } = await test.row(runId);
  assert.deepEqual([state, reason], ["failed", "The backup is stored. A script failed."]);
  assert.deepEqual([...await database`select run_id from backups`], [{ run_id: runId }]);
  assert.equal((await database`select from leftovers`).length, 0);
  const [alert] = await database`select kind from alerts`;
  assert.equal(alert!.kind, "backup.failing");
});

Deno.test("a backup whose run was given up before is removed", async () => {
  await using test = await scripted();
  const { caller, clock, database, serverId, services, taskId } = test;
  const { run, runId } = await test.start();
  await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
  await cancelRun(services, caller, taskId);
  await database`update runs set state = 'cancelled', deadline_at = null, finished_at = ${clock.now()}`;
  await recordEvents(services, [event(serverId, run!, 2, { kind: "finished", verdict: storedFailure() })]);
  assert.equal((await test.row(runId)).state, "cancelled");
  assert.equal((await database`select from backups`).length, 0);
  assert.equal((await database`select from leftovers`).length, 2);
});
