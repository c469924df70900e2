/**
 * Notifies users about their runs and backups. Messages are written in the same transaction as the change
 * that they report, so no crash loses them.
 */
import type { BackupRow } from "../../store/backups/backups.ts";
import { ownerOf } from "../../domain/access/owner.ts";
import type { Finding } from "../../domain/guards/finding.ts";
import { guardOf } from "../../domain/guards/registry.ts";
import type { AlertKind } from "../../domain/notifications/alert.ts";
import { classOf } from "../../domain/notifications/event_classes.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { outcomeOfRun, type RunState, shownState } from "../../domain/run.ts";
import type { Missing } from "../../protocol/job.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import {
  type AlertMessage,
  endAlert,
  endAlerts,
  raiseAlert,
  writeDeliveries,
} from "../notifications/alerts.ts";
import type { ServiceContext } from "../context.ts";

type Clocked = Pick<ServiceContext, "clock">;

/** Details of a run's end that are not in the run's row. */
export interface RunEnd {
  /** The run's state before it ended. */
  readonly before: RunState;
  /** The damage in the backup that the run read; null if the run found none. */
  readonly damage: string | null;
}

/**
 * Notifies the owner of a run that ended without success. Two other functions report successes. {@link
 * notifyBackupStored} reports a backup once it is stored. {@link notifyCheck} reports a verification or
 * drill.
 */
export async function notifyFailure(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  { before, damage }: RunEnd,
): Promise<void> {
  const wasLost = before === "lost";
  // Do not end the alerts of a successful backup run here: {@link notifyBackupStored} ends them.
  if (run.kind !== "backup" || run.state !== "succeeded") {
    await endAlerts(services, sql, RUN_ALERTS, [runSubject(run)]);
  }
  if (damage !== null && run.kind !== "backup" && run.state === "failed") {
    return void await writeDeliveries(
      services,
      sql,
      notificationOf(run, "backup.damaged", { wasLost, reason: damage }),
    );
  }
  if (outcomeOfRun(run) !== "failed") return;
  switch (run.kind) {
    case "backup": {
      const news = notificationOf(run, run.state === "lost" ? "backup.lost" : "backup.failed", { wasLost });
      // The owner was already notified that the run was lost. Notify the owner of the failure and its reason,
      // too.
      if (wasLost) await writeDeliveries(services, sql, news);
      else await raise(services, sql, run, { kind: "backup.failing" }, news);
      return;
    }
    case "drill": {
      const news = notificationOf(run, "drill.failed", { wasLost });
      return await raise(services, sql, run, { kind: "drill.failing" }, news);
    }
    case "verify": {
      // The first failure might be transient: the verification is retried automatically. So the owner is
      // notified only from the second failure on.
      const news = notificationOf(run, "verification.failed", { wasLost });
      return await raise(services, sql, run, { kind: "verification.failing", reportFrom: 2 }, news);
    }
  }
}

/** Ends the alert about a verification or drill that could not be carried out. */
export async function notifyCheck(services: Clocked, sql: Sql, run: RunRow): Promise<void> {
  const kind = run.kind === "drill" ? "drill.failing" : "verification.failing";
  await endAlert(services, sql, { kind, subject: subjectOf(run) });
}

async function raise(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  alert: { kind: AlertKind; reportFrom?: number },
  news: AlertMessage,
): Promise<void> {
  const { kind, reportFrom = 1 } = alert;
  await raiseAlert(services, sql, { kind, subject: subjectOf(run), at: run.created_at, reportFrom }, news);
}

/** Returns the subject of the run's alerts: its task. If the run has no task, the subject is its backup. */
function subjectOf({ backup_task_id, backup_id }: RunRow): string {
  return backup_task_id === null ? `backup ${backup_id}` : `task ${backup_task_id}`;
}

/**
 * Reports a stored backup. If the backup's run has succeeded, reports the success and ends alerts. If the run
 * had been lost before it succeeded, the streams that are notified of failures also get the success. Reports
 * each anomaly of the backup as a failure.
 */
export async function notifyBackupStored(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  { wasLost, backupId, findings, missing }: {
    wasLost: boolean;
    backupId: number;
    findings: readonly Finding[];
    missing: readonly Missing[];
  },
): Promise<void> {
  const news = (name: AlertMessage["name"], reason?: string) =>
    notificationOf(run, name, { wasLost, backupId, reason });
  // If the run failed after storing the backup, {@link notifyFailure} has already notified the run's owner.
  if (run.state === "succeeded") {
    const success = classOf("backup.succeeded", run.warnings_count);
    await writeDeliveries(services, sql, {
      ...news("backup.succeeded"),
      classes: wasLost ? [success, "failure"] : [success],
    });
    // If the run was lost, `writeDeliveries` above has already reported the success to the streams that are
    // notified of failures. So do not report the recovery as well.
    const recovered = wasLost ? null : news("backup.recovered");
    await endAlerts(
      services,
      sql,
      [...TASK_ALERTS, ...RUN_ALERTS],
      [subjectOf(run), runSubject(run)],
      recovered,
    );
  }
  const incomplete = describeMissing(missing);
  const anomalies = [
    ...findings.flatMap(({ name, message }) => {
      const event = guardOf(name)?.notification?.event;
      return event === undefined ? [] : [{ event, reason: message }];
    }),
    ...incomplete === null ? [] : [{ event: "backup.incomplete" as const, reason: incomplete }],
  ];
  // Send one message for each anomaly, because a person has to review each of them.
  for (const { event, reason } of anomalies) {
    await writeDeliveries(services, sql, news(event, reason));
  }
}

/** Alerts about a task. They end when a backup of the task is stored. */
const TASK_ALERTS: readonly AlertKind[] = ["backup.failing", "backup.late", "backup.skipping"];
/** Alerts about a run. They end with the run. */
const RUN_ALERTS: readonly AlertKind[] = ["backup.overdue", "run.stalled", "run.slow"];

/** Returns the subject of an alert about one run. */
export function runSubject({ id }: Pick<RunRow, "id">): string {
  return `run ${id}`;
}

/** Describes what a backup lacks, in one line of at most 4096 characters; null if nothing is missing. */
function describeMissing(missing: readonly Missing[]): string | null {
  if (missing.length === 0) return null;
  return missing.map(({ name, reason }) => `${name}: ${reason}`).join("; ").slice(0, 4096);
}

interface StoredOutcome {
  wasLost: boolean;
  /** The backup that the message is about; by default, the backup that the run has read. */
  backupId?: number;
  /** The reason in the message; by default, the run's reason. */
  reason?: string;
}

export function notificationOf(
  run: RunRow,
  name: AlertMessage["name"],
  { wasLost, backupId, reason }: StoredOutcome,
): AlertMessage {
  return {
    name,
    ...ownerOf(run),
    taskId: run.backup_task_id,
    serverId: run.remote_server_id,
    key: `run ${run.id} ${name}`,
    run: {
      id: run.id,
      kind: run.kind,
      status: shownState(run.state),
      trigger: run.trigger,
      was_lost: wasLost,
      started_at: run.started_at && isoSeconds(run.started_at),
      finished_at: run.finished_at && isoSeconds(run.finished_at),
      warnings_count: run.warnings_count,
      outcome: outcomeOfRun(run),
    },
    backupId: backupId ?? run.backup_id,
    reason: reason ?? run.reason,
  };
}

/**
 * Notifies users of a damaged backup. Only for damage that was found by something other than a run, such as a
 * listing or a download. Call it only once for each damage.
 */
export async function notifyDamage(
  services: Clocked,
  sql: Sql,
  backup: Pick<BackupRow, "id" | "user_id" | "workspace_id" | "backup_task_id" | "remote_server_id">,
  reason: string,
): Promise<void> {
  if (backup.backup_task_id === null) return;
  await writeDeliveries(services, sql, {
    name: "backup.damaged",
    ...ownerOf(backup),
    taskId: backup.backup_task_id,
    serverId: backup.remote_server_id,
    key: `backup ${backup.id} damaged ${services.clock.now().toISOString()}`,
    run: null,
    backupId: backup.id,
    reason,
  });
}
