/** What users are told of their runs and backups: written with the change itself, so that no crash loses it. */
import {
  type Audience,
  isoSeconds,
  type NotificationEvent,
  type NotificationEventName,
} from "../domain/notification.ts";
import { type RunState, shownState } from "../domain/run.ts";
import type { Missing } from "../protocol/job.ts";
import type { Sql } from "../store/database.ts";
import {
  findNotifiedBackup,
  findNotifiedTask,
  hasAudience,
  insertDeliveries,
} from "../store/notification_deliveries.ts";
import { notify } from "../store/notifications.ts";
import type { RunRow } from "../store/runs.ts";
import type { Services } from "./context.ts";

type Clocked = Pick<Services, "clock">;

/** What of a run's end is told beside the run. */
export interface RunEnd {
  /** The state it was in before. */
  readonly before: RunState;
  /** The damage that it found; null where it found none. */
  readonly damage: string | null;
}

/** Tells of a run that has ended otherwise than well. Of a success {@link tellOfBackup} tells, once its backup is stored. */
export async function tellOfFailure(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  { before, damage }: RunEnd,
): Promise<void> {
  const wasLost = before === "lost";
  if (run.kind === "backup") {
    const event = run.state === "lost" ? "backup.lost" : "backup.failed";
    if (isFailure(services, run)) await tell(services, sql, run, event, { audience: "failure", wasLost });
    return;
  }
  if (damage !== null && run.state === "failed") {
    await tell(services, sql, run, "backup.damaged", { audience: "failure", wasLost, reason: damage });
  } else if (run.kind === "drill" && isFailure(services, run)) {
    await tell(services, sql, run, "drill.failed", { audience: "failure", wasLost });
  }
}

/** A person who cancels knows it; a run that is stopped for its timeout has failed, whatever its state is called. */
function isFailure({ clock }: Clocked, run: RunRow): boolean {
  if (run.state === "failed" || run.state === "lost") return true;
  return run.state === "cancelled" && run.timeout_at !== null && run.timeout_at <= clock.now();
}

/** Tells of a run that stored a backup: those who heard that it was lost too. What is doubtful of it is told as a failure is. */
export async function tellOfBackup(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  { wasLost, backupId, suspicion, shrinking, missing }: {
    wasLost: boolean;
    backupId: number;
    suspicion: string | null;
    shrinking: string | null;
    missing: readonly Missing[];
  },
): Promise<void> {
  const audience = wasLost ? "any" : "success";
  await tell(services, sql, run, "backup.succeeded", { audience, wasLost, backupId });
  const doubts = [
    ["backup.suspicious", suspicion],
    ["backup.shrunken", shrinking],
    ["backup.incomplete", describeMissing(missing)],
  ] as const;
  for (const [event, reason] of doubts) {
    if (reason === null) continue;
    await tell(services, sql, run, event, { audience: "failure", wasLost, backupId, reason });
  }
}

/** One line; null where nothing is missing. Each channel cuts it to the length that it takes. */
function describeMissing(missing: readonly Missing[]): string | null {
  if (missing.length === 0) return null;
  return missing.map(({ name, reason }) => `${name}: ${reason}`).join("; ").slice(0, 4096);
}

interface News {
  audience: Audience;
  wasLost: boolean;
  /** Default: the one that the run read. */
  backupId?: number;
  /** Default: the run's. */
  reason?: string;
}

async function tell(
  services: Clocked,
  sql: Sql,
  run: RunRow,
  name: NotificationEventName,
  { audience, wasLost, backupId, reason }: News,
): Promise<void> {
  await write(services, sql, name, {
    taskId: run.backup_task_id,
    serverId: run.remote_server_id,
    audience,
    key: `run ${run.id} ${name}`,
    run: {
      id: run.id,
      kind: run.kind,
      status: shownState(run.state) as "successful" | "failed" | "cancelled",
      trigger: run.trigger,
      was_lost: wasLost,
      started_at: run.started_at && isoSeconds(run.started_at),
      finished_at: run.finished_at && isoSeconds(run.finished_at),
      warnings_count: run.warnings_count,
    },
    backupId: backupId ?? run.backup_id,
    reason: reason ?? run.reason,
  });
}

/** Tells of damage that no run found, the first time. */
export async function tellOfDamage(
  services: Clocked,
  sql: Sql,
  backup: { id: number; backup_task_id: number | null; remote_server_id: number | null },
  reason: string,
): Promise<void> {
  await write(services, sql, "backup.damaged", {
    taskId: backup.backup_task_id,
    serverId: backup.remote_server_id,
    audience: "failure",
    key: `backup ${backup.id} damaged ${services.clock.now().toISOString()}`,
    run: null,
    backupId: backup.id,
    reason,
  });
}

interface Told extends Pick<NotificationEvent, "run" | "reason"> {
  taskId: number | null;
  serverId: number | null;
  audience: Audience;
  /** One message for each. */
  key: string;
  backupId: number | null;
}

async function write(
  services: Clocked,
  sql: Sql,
  name: NotificationEventName,
  { taskId, serverId, audience, key, run, backupId, reason }: Told,
): Promise<void> {
  if (taskId === null || !await hasAudience(sql, taskId, audience)) return;
  const about = await findNotifiedTask(sql, taskId, serverId);
  if (about === undefined) return;
  const now = services.clock.now();
  const backup = await findNotifiedBackup(sql, backupId ?? 0);
  const event: NotificationEvent = {
    event: name,
    occurred_at: isoSeconds(now),
    ...about,
    run,
    backup: backup === undefined ? null : { ...backup, created_at: isoSeconds(backup.created_at) },
    reason,
  };
  if (await insertDeliveries(sql, taskId, audience, key, event, now) > 0) {
    await notify(sql, { topic: "notification_due" });
  }
}
