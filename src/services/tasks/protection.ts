/**
 * Stores when each task becomes late, and reports late tasks. Does not depend on the scheduler, so it also
 * reports tasks that a broken scheduler does not run.
 */
import { ownerOf } from "../../domain/access/owner.ts";
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

/** Status of a task: whether its newest backup is as recent as promised, and if not, why. */
export interface Protection {
  readonly status: ProtectionStatus;
  /** Why the task is not protected, in one sentence; null if it is protected or paused. */
  readonly reason: string | null;
  /** When the task becomes late, or became late; null if it never does. */
  readonly late_at: Date | null;
  readonly newest_backup_id: number | null;
  readonly newest_backup_at: Date | null;
  /** Number of warnings of the newest backup; 0 if there is none. */
  readonly warnings_count: number;
}

/** The columns of a task from which its protection is computed. */
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

/** Returns when a task becomes late; null if it never does. */
function lateTime(row: ProtectionRow): Date | null {
  const { max_age, newest_backup_at, newest_duration_ms, promised_at, server_class } = row;
  const newest = newest_backup_at === null ? null : {
    started_at: new Date(newest_backup_at.getTime() - newest_duration_ms!),
    duration_ms: newest_duration_ms!,
  };
  return lateAt({ schedule: row, max_age, server_class, promised_at, newest });
}

/**
 * Computes and stores the time at which a task becomes late. To be called after the task's schedule, source
 * or backups have changed.
 */
export async function refreshProtection(sql: Sql, taskId: number): Promise<void> {
  await store(sql, await findProtection(sql, taskId));
}

/**
 * Computes when each task becomes late, and stores the times that changed. Returns the rows with the new
 * times.
 */
async function store(sql: Sql, rows: readonly ProtectionRow[]): Promise<ProtectionRow[]> {
  const current = rows.map((row) => ({ ...row, late_at: lateTime(row) }));
  const changed = current.filter(({ late_at }, index) =>
    late_at?.getTime() !== rows[index]!.late_at?.getTime()
  );
  await setLateTimes(sql, changed);
  return current;
}

/** Reports each late task at once, and then daily. Closes the alerts of tasks that are no longer late. */
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
          ...ownerOf(row),
          taskId: row.id,
          serverId: row.remote_server_id,
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
