/** Applies the timeout transition to runs whose deadline or run timeout has passed. */
import { transaction } from "../../store/database/database.ts";
import { lockOverdueRuns, lockTimedOutRuns, postponeDeadlines, type RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";
import { duration } from "../../domain/durations.ts";
import { runsOfSleepingServers } from "../../store/runs/run_watch.ts";
import { applyToRun, runTimesOf, startDeadline } from "./run_state.ts";

const BATCH = 100;

/**
 * Applies the timeout transition to a batch of overdue runs. Returns their number; call it again until it
 * returns 0.
 */
export async function endOverdueRuns(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const overdue = await lockOverdueRuns(sql, now, BATCH);
    const waiting = await runsOfSleepingServers(sql, overdue.map(({ id }) => id));
    // Postpone the deadlines of runs whose machine is asleep. These runs wait until the machine is awake.
    await postponeDeadlines(sql, [...waiting], startDeadline(services, { created_at: now }));
    for (const run of overdue) {
      if (waiting.has(run.id)) continue;
      await applyToRun(services, sql, run, { type: "deadline_passed" }, { reason: reasonOf(services, run) });
    }
    return overdue.length;
  });
}

/**
 * Cancels a batch of runs whose run timeout passed at least one lease duration ago. Usually there are none,
 * because agents end their runs at the timeout. Returns the number of cancelled runs.
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

/** Returns the reason to record in a run whose deadline has passed. */
function reasonOf(services: ServiceContext, run: RunRow): string | null {
  const runTimes = runTimesOf(services, run);
  switch (run.state) {
    case "queued":
      return `No agent accepted the run within ${duration(runTimes.start)}. ` +
        "Check that the agent runs on its server and is connected.";
    case "running":
      return `The agent was silent for ${duration(runTimes.lease + runTimes.grace)}. ` +
        "If it reports a success later, the run counts.";
    case "cancelling":
      return `${run.reason ?? "Cancelled."} The agent did not confirm it within ${
        duration(runTimes.cancel)
      }; ` +
        "it gets the cancellation again when it reconnects.";
    default:
      return run.reason;
  }
}
