/** The end of waiting: every state that lasted too long is left by the move that its deadline names. */
import { transaction } from "../../store/database/database.ts";
import { lockOverdueRuns, lockTimedOutRuns, type RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";
import { duration } from "../durations.ts";
import { applyToRun } from "./run_state.ts";

const BATCH = 100;

/** Moves what is overdue. Returns how many runs were moved; call again until it is 0. */
export async function endOverdueRuns(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const overdue = await lockOverdueRuns(sql, services.clock.now(), BATCH);
    for (const run of overdue) {
      await applyToRun(services, sql, run, { type: "deadline_passed" }, { reason: reasonOf(services, run) });
    }
    return overdue.length;
  });
}

/**
 * An agent ends a run at its task's timeout by itself; one that did not, within a lease's time, is told to.
 */
export async function cancelTimedOutRuns(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const before = new Date(services.clock.now().getTime() - services.runTimes.lease);
    const late = await lockTimedOutRuns(sql, before, BATCH);
    for (const run of late) {
      await applyToRun(services, sql, run, { type: "cancel_requested" }, {
        reason: "The run took longer than its task's run timeout.",
      });
    }
    return late.length;
  });
}

/** Null where the run goes on. */
function reasonOf(services: ServiceContext, run: RunRow): string | null {
  const { runTimes } = services;
  switch (run.state) {
    case "queued":
      return `No agent took the run within ${duration(runTimes.start)}. ` +
        "Check that the agent runs on its server and is connected.";
    case "running":
      return `Nothing was heard of the agent for ${duration(runTimes.lease + runTimes.grace)}. ` +
        "If it reports a success later, the run counts.";
    case "cancelling":
      return `${run.reason ?? "Cancelled."} The agent did not confirm it within ${
        duration(runTimes.cancel)
      }; ` +
        "it is told again when it is back.";
    default:
      return run.reason;
  }
}
