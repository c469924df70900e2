/**
 * Reports each step of a backup run to the streams that follow runs. The services behind these streams raise
 * an alarm if a run does not end in time. Unlike other notifications, a step is reported even if it repeats
 * an earlier step.
 */
import type { ClassedEvent } from "../../domain/notifications/event_classes.ts";
import type { RunState } from "../../domain/run.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";
import { writeDeliveries } from "../notifications/alerts.ts";
import { notificationOf } from "./run_notifications.ts";

/**
 * Reports the state that a backup run has entered. Does not report success, because {@link
 * reportStoredBackup} reports the success when the backup is stored.
 */
export async function reportStep(
  services: Pick<ServiceContext, "clock">,
  sql: Sql,
  run: RunRow,
  before: RunState,
): Promise<void> {
  if (run.kind !== "backup" || run.state === before) return;
  const step = stepOf(run);
  if (step !== null) await report(services, sql, run, step, { wasLost: before === "lost" });
}

/** Reports the success of a run whose backup is stored. */
export async function reportStoredBackup(
  services: Pick<ServiceContext, "clock">,
  sql: Sql,
  run: RunRow,
  stored: { wasLost: boolean; backupId: number },
): Promise<void> {
  await report(services, sql, run, "backup.succeeded", stored);
}

function stepOf({ state, started_at }: RunRow): ClassedEvent | null {
  switch (state) {
    case "running":
      return "backup.started";
    case "failed":
      return "backup.failed";
    case "lost":
      return "backup.lost";
    case "cancelled":
      // A service waits for a run's end only if the run has started. So report the failure only then.
      return started_at === null ? null : "backup.failed";
    default:
      return null;
  }
}

async function report(
  services: Pick<ServiceContext, "clock">,
  sql: Sql,
  run: RunRow,
  step: ClassedEvent,
  about: { wasLost: boolean; backupId?: number },
): Promise<void> {
  const isGood = step === "backup.started" || step === "backup.succeeded";
  await writeDeliveries(services, sql, {
    ...notificationOf(run, step, about),
    classes: [isGood ? "success" : "failure"],
    key: `run ${run.id} step ${step}`,
    isForFollowers: true,
  });
}
