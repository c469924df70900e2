/**
 * Keeps the time at which each task becomes late, and reports the tasks that are. Independent of the
 * scheduler: a scheduler that does nothing makes tasks late too.
 */
import { duration } from "../../domain/durations.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { lateAt, type ProtectionStatus, protectionStatus } from "../../domain/protection.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";
import type { TaskOutcome } from "../../store/tasks/task_outcome.ts";
import { openSubjects } from "../../store/runs/run_watch.ts";
import {
  findProtection,
  pageOfProtection,
  type ProtectionRow,
  setLateTimes,
} from "../../store/tasks/protection.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";

const BATCH = 500;

/** Whether a task keeps its promise, and why not. */
export interface Protection {
  readonly status: ProtectionStatus;
  /** One sentence; null if the task is protected or paused. */
  readonly reason: string | null;
  /** When it becomes, or became, late; null: never. */
  readonly late_at: Date | null;
  readonly newest_backup_id: number | null;
  readonly newest_backup_at: Date | null;
  /** Warnings of the newest backup. */
  readonly warnings_count: number;
}

/** The facts of a task that its protection follows from. */
export type ProtectionFacts = Pick<BackupTaskRow, "paused_at" | "late_at"> & TaskOutcome;

export function protectionOf(task: ProtectionFacts, now: Date): Protection {
  const { has_failed, late_at, newest_backup_at, newest_backup_id } = task;
  const is_paused = task.paused_at !== null;
  const status = protectionStatus({ is_paused, newest_backup_at, has_failed, late_at }, now);
  return {
    status,
    reason: reasonOf(status, task, now),
    late_at: is_paused ? null : late_at,
    newest_backup_id,
    newest_backup_at,
    warnings_count: task.newest_warnings_count ?? 0,
  };
}

function reasonOf(
  status: ProtectionStatus,
  { failure, has_failed, newest_backup_at }: ProtectionFacts,
  now: Date,
): string | null {
  const failed = has_failed ? `The last run failed${failure === null ? "." : `: ${failure}`}` : null;
  const because = (fact: string) => [fact, failed].filter((text) => text !== null).join(" ");
  switch (status) {
    case "never_backed_up":
      return because("No backup of this task can be restored yet.");
    case "late":
      return because(`The newest backup is ${duration(now.getTime() - newest_backup_at!.getTime())} old.`);
    case "failing":
      return failed;
    default:
      return null;
  }
}

/** Computes when a task becomes late. */
function lateTime(row: ProtectionRow): Date | null {
  const { max_age, newest_backup_at, newest_duration_ms, promised_at, server_class } = row;
  const newest = newest_backup_at === null ? null : {
    started_at: new Date(newest_backup_at.getTime() - newest_duration_ms!),
    duration_ms: newest_duration_ms!,
  };
  return lateAt({ schedule: row, max_age, server_class, promised_at, newest });
}

/** Computes again when a task becomes late, after a change of what that follows from. */
export async function refreshProtection(sql: Sql, taskId: number): Promise<void> {
  await store(sql, await findProtection(sql, taskId));
}

/** Stores the times that have changed. Returns the rows with their current times. */
async function store(sql: Sql, rows: readonly ProtectionRow[]): Promise<ProtectionRow[]> {
  const current = rows.map((row) => ({ ...row, late_at: lateTime(row) }));
  const changed = current.filter(({ late_at }, index) =>
    late_at?.getTime() !== rows[index]!.late_at?.getTime()
  );
  await setLateTimes(sql, changed);
  return current;
}

/** Reports each task that is late, once and then daily. Ends the alerts of those that no longer are. */
export async function watchProtection(services: ServiceContext): Promise<void> {
  const late = new Set<string>();
  let last = 0;
  for (let isLeft = true; isLeft;) {
    await transaction(services.database, async (sql) => {
      const now = services.clock.now();
      const rows = await store(sql, await pageOfProtection(sql, last, BATCH));
      for (const row of rows) {
        if (row.paused_at !== null || row.late_at === null || row.late_at > now) continue;
        late.add(subjectOf(row));
        await raiseAlert(services, sql, { kind: "backup.late", subject: subjectOf(row), isLevel: true }, {
          name: "backup.late",
          userId: row.user_id,
          taskId: row.id,
          serverId: row.remote_server_id,
          audience: "failure",
          key: `task ${row.id} backup.late`,
          run: null,
          backupId: row.newest_backup_id,
          reason: lateReason(row, now),
        });
      }
      last = rows.at(-1)?.id ?? last;
      isLeft = rows.length === BATCH;
    });
  }
  await transaction(services.database, async (sql) => {
    for (const subject of await openSubjects(sql, "backup.late")) {
      if (!late.has(subject)) await endAlert(services, sql, { kind: "backup.late", subject });
    }
  });
}

function subjectOf({ id }: Pick<ProtectionRow, "id">): string {
  return `task ${id}`;
}

function lateReason(row: ProtectionRow, now: Date): string {
  const { reason } = protectionOf(row, now);
  return `${reason} A backup was promised by ${isoSeconds(row.late_at!)}.`;
}
