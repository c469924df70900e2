/** Notifies owners of stalled, slow and overdue runs, and cancels runs that have stalled for too long. */
import type { RunTransitionEvent } from "../../domain/run.ts";
import { transaction } from "../../store/database/database.ts";
import {
  lockOverdueQueuedRuns,
  lockStalledRuns,
  slowRuns,
  stalledAlertsToClose,
} from "../../store/runs/run_watch.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";
import type { ServiceContext } from "../context.ts";
import { notificationOf, runSubject } from "./run_notifications.ts";
import { applyToRun } from "./run_state.ts";
import { waitMessage } from "./run_waits.ts";
import { duration } from "../../domain/durations.ts";

/**
 * A backup run is slow if it takes `SLOW_FACTOR` times as long as the median of the previous runs, and at
 * least `SLOW_LEAST` milliseconds.
 */
const SLOW_FACTOR = 3;
const SLOW_LEAST = 10 * 60_000;

/**
 * Reports stalled runs. Usually an agent ends its run at the stall limit. If the run is still active one
 * lease length after this limit, this function cancels the run.
 */
export async function watchStalledRuns(services: ServiceContext): Promise<void> {
  const { clock, database, runTimes } = services;
  const { lease, stallTimeout, stallWarning } = runTimes;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await lockStalledRuns(sql, now, stallWarning, stallTimeout, lease)) {
      const still = `It has made no progress for ${duration(now.getTime() - run.moved_at!.getTime())}.`;
      const reason = run.waits_for === null ? still : `${still} ${run.waits_for}`;
      if (run.is_over) {
        const cancel: RunTransitionEvent = { type: "cancel_requested" };
        await applyToRun(services, sql, run, cancel, { reason, timeout_at: now });
        continue;
      }
      const news = notificationOf(run, "backup.stalled", { wasLost: false, reason });
      await raiseAlert(services, sql, { kind: "run.stalled", subject: runSubject(run), isLevel: true }, news);
    }
    for (const { subject } of await stalledAlertsToClose(sql, now, stallWarning)) {
      await endAlert(services, sql, { kind: "run.stalled", subject });
    }
  });
}

/** Reports backup runs that take far longer than the previous runs of their task. */
export async function watchSlowRuns(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await slowRuns(sql, now, { factor: SLOW_FACTOR, least: SLOW_LEAST })) {
      const reason = `It has been running for ${
        duration(now.getTime() - run.started_at!.getTime())
      }; usually it takes ${duration(run.usual_ms)}.`;
      const news = notificationOf(run, "backup.slow", { wasLost: false, reason });
      await raiseAlert(services, sql, { kind: "run.slow", subject: runSubject(run), isLevel: true }, news);
    }
  });
}

/** Reports runs that are queued for too long, and says what they wait for. */
export async function watchOverdueRuns(services: ServiceContext): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    for (const run of await lockOverdueQueuedRuns(sql, now, runTimes.overdue)) {
      const since = `It has been queued for ${duration(now.getTime() - run.created_at.getTime())}.`;
      const reason = `${since} ${await waitMessage(sql, run, now)}`;
      const news = notificationOf(run, "backup.overdue", { wasLost: false, reason });
      await raiseAlert(
        services,
        sql,
        { kind: "backup.overdue", subject: runSubject(run), isLevel: true },
        news,
      );
    }
  });
}
