/**
 * Runs that stand still, are slow or are overdue: told to their owners, and ended where nothing moves for too
 * long.
 */
import type { RunTransitionEvent } from "../domain/run.ts";
import { transaction } from "../store/database.ts";
import {
  lockOverdueQueuedRuns,
  lockStalledRuns,
  slowRuns,
  stalledAlertsToClose,
} from "../store/run_watch.ts";
import { endAlert, raiseAlert } from "./alerts.ts";
import type { Services } from "./context.ts";
import { newsOf, runSubject } from "./run_notifications.ts";
import { applyToRun } from "./run_state.ts";
import { waitMessage } from "./run_waits.ts";
import { duration } from "./durations.ts";

/**
 * A backup run is slow at so many times the median of the last ones, and never before so many milliseconds.
 */
const SLOW_FACTOR = 3;
const SLOW_LEAST = 10 * 60_000;

/**
 * Tells of runs of which nothing moves. An agent ends them by itself at their limit; one that did not, within
 * a lease's time, is told to.
 */
export async function watchStalledRuns(services: Services): Promise<void> {
  const { clock, database, runTimes } = services;
  const { lease, stallTimeout, stallWarning } = runTimes;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await lockStalledRuns(sql, now, stallWarning, stallTimeout, lease)) {
      const still = `Nothing has moved for ${duration(now.getTime() - run.moved_at!.getTime())}.`;
      const reason = run.waits_for === null ? still : `${still} ${run.waits_for}`;
      if (run.is_over) {
        const cancel: RunTransitionEvent = { type: "cancel_requested" };
        await applyToRun(services, sql, run, cancel, { reason, timeout_at: now });
        continue;
      }
      const news = newsOf(run, "backup.stalled", { audience: "failure", wasLost: false, reason });
      await raiseAlert(services, sql, { kind: "run.stalled", subject: runSubject(run), isLevel: true }, news);
    }
    for (const { subject } of await stalledAlertsToClose(sql, now, stallWarning)) {
      await endAlert(services, sql, { kind: "run.stalled", subject });
    }
  });
}

/** Tells of backup runs that take far longer than the last ones of their task. */
export async function watchSlowRuns(services: Services): Promise<void> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await slowRuns(sql, now, { factor: SLOW_FACTOR, least: SLOW_LEAST })) {
      const reason = `It has been at work for ${
        duration(now.getTime() - run.started_at!.getTime())
      }; usual are ${duration(run.usual_ms)}.`;
      const news = newsOf(run, "backup.slow", { audience: "failure", wasLost: false, reason });
      await raiseAlert(services, sql, { kind: "run.slow", subject: runSubject(run), isLevel: true }, news);
    }
  });
}

/** Tells of runs that are queued for long, and of what they wait for. */
export async function watchOverdueRuns(services: Services): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await lockOverdueQueuedRuns(sql, now, runTimes.overdue)) {
      const since = `It has been queued for ${duration(now.getTime() - run.created_at.getTime())}.`;
      const reason = `${since} ${await waitMessage(sql, run, now)}`;
      const news = newsOf(run, "backup.overdue", { audience: "failure", wasLost: false, reason });
      await raiseAlert(
        services,
        sql,
        { kind: "backup.overdue", subject: runSubject(run), isLevel: true },
        news,
      );
    }
  });
}
