import assert from "node:assert/strict";
import { event, output } from "../tests/support/clients/events.ts";
import { testServices } from "../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../tests/support/fixtures/planted.ts";
import { claimAssignments } from "../src/services/runs/dispatch.ts";
import { recordEvents } from "../src/services/runs/run_events.ts";
import { startRun } from "../src/services/runs/runs.ts";
import { Journal } from "./journal.ts";
import { endKilledRuns } from "./killed_runs.ts";
import { StateDirectory } from "./state_directory.ts";

Deno.test("a run is reported as failed after a power failure lost its last events on the agent's disk", async () => {
  await using test = await testServices();
  const { services, clock } = test;
  const { caller, taskId, serverId } = await plant(services);
  const { runId } = await startRun(services, caller, taskId);
  const [assignment] = await claimAssignments(services, [serverId]);
  const directory = await Deno.makeTempDir();
  const state = await StateDirectory.open(directory);
  const before = await Journal.open(state.journalPath, clock);
  before.create(runId, 1, "backup").append({ kind: "accepted" });
  before.close();
  // The control plane has stored these five events. The agent's disk has lost the last four, because they
  // were still in its cache.
  await recordEvents(services, [
    event(serverId, assignment!, 1, { kind: "accepted" }),
    ...[2, 3, 4, 5].map((sequence) => event(serverId, assignment!, sequence, output(`${sequence}\n`))),
  ]);

  const journal = await Journal.open(state.journalPath, clock);
  await endKilledRuns({ clock, journal, state });
  const run = journal.find(runId, 1)!;
  const { answers } = await sayHello(services, serverId, [
    { run_id: runId, attempt: 1, finished: run.finished, last_sequence: run.lastSequence },
  ]);
  for (const { acknowledged } of answers) journal.acknowledge(runId, 1, acknowledged);
  const messages = run.after(run.acknowledged, 100);
  await recordEvents(services, messages.map((message) => ({ remoteServerId: serverId, message })));
  const [row] = await services.database`select state, reason from runs where id = ${runId}`;
  assert.equal(row!.state, "failed");
  assert.match(row!.reason, /The agent was restarted while the run was active/);
  journal.close();
  state[Symbol.dispose]();
  await Deno.remove(directory, { recursive: true });
});
