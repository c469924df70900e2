/**
 * Decides whether a backup task is protected: whether its newest backup is recent enough. Only the age of
 * that backup counts. How the last run ended does not matter.
 */
import { planRun, type Schedule } from "./schedules/schedule.ts";

/**
 * Class of a server. An `always_on` server has a fault if its agent is absent. An `intermittent` server, such
 * as a laptop, is often asleep.
 */
export const SERVER_CLASSES = ["always_on", "intermittent"] as const;
export type ServerClass = typeof SERVER_CLASSES[number];

/** Protection statuses of a task, from worst to best. */
export const PROTECTION_STATUSES = [
  /** The task has no backup that can be restored. */
  "never_backed_up",
  /** The newest backup is older than promised. */
  "late",
  /** The newest backup is recent enough, but the last run failed. */
  "failing",
  /** The task is paused, so no maximum age applies. */
  "paused",
  "protected",
] as const;
export type ProtectionStatus = typeof PROTECTION_STATUSES[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Minimum and maximum grace, in milliseconds. The task becomes late if no backup is stored soon enough after
 * a due time. The time allowed is the grace plus twice the newest backup's duration.
 */
const LEAST_GRACE = 15 * MINUTE;
const MOST_GRACE = 6 * HOUR;
/** Default maximum age of the newest backup of a task on an intermittent server, in milliseconds. */
const INTERMITTENT_AGE = 7 * DAY;

/** A task's newest backup, among those that are not damaged and contain the task's current source. */
export interface NewestBackup {
  /** When the backup's run started. The backup contains the source as it was at this time or later. */
  readonly started_at: Date;
  readonly duration_ms: number;
}

/** The facts that determine when a task becomes late. */
export interface ProtectionTerms {
  readonly schedule: Schedule;
  /** Maximum age of the newest backup, in seconds. Null: the maximum age is derived from the schedule. */
  readonly max_age: number | null;
  readonly server_class: ServerClass;
  /**
   * When the maximum age began to apply. This is the latest of these times: the task's creation, its last
   * resumption, the last change of its schedule, and the last change of its source. Due times before this
   * time don't count.
   */
  readonly promised_at: Date;
  readonly newest: NewestBackup | null;
}

/**
 * Returns when the task becomes late, unless a backup is stored before that time; null for never.
 *
 * - With `max_age`: `max_age` after the newest backup's start.
 * - On an intermittent server: 7 days or three intervals after the newest backup's start, whichever is later.
 * - In all other cases: at the next due time plus the time that is allowed for its backup. The time allowed
 *   is a quarter of the interval plus twice the newest backup's duration. The quarter is at least 15 minutes
 *   and at most 6 hours.
 */
export function lateAt(
  { max_age, newest, promised_at, schedule, server_class }: ProtectionTerms,
): Date | null {
  if (max_age !== null) return after(newest?.started_at ?? promised_at, max_age * 1000);
  const start = newest === null || newest.started_at < promised_at ? promised_at : newest.started_at;
  const due = planRun(schedule, start).next;
  if (due === null) return null;
  const following = planRun(schedule, due).next;
  const interval = following === null ? MOST_GRACE * 4 : following.getTime() - due.getTime();
  if (server_class === "intermittent") return after(start, Math.max(INTERMITTENT_AGE, 3 * interval));
  const grace = Math.min(Math.max(interval / 4, LEAST_GRACE), MOST_GRACE);
  return after(due, grace + 2 * (newest?.duration_ms ?? 0));
}

export function protectionStatus(
  { is_paused, newest_backup_at, has_failed, late_at }: {
    is_paused: boolean;
    newest_backup_at: Date | null;
    /** Whether the task's last backup run failed. */
    has_failed: boolean;
    late_at: Date | null;
  },
  now: Date,
): ProtectionStatus {
  if (is_paused) return "paused";
  if (newest_backup_at === null) return "never_backed_up";
  if (late_at !== null && late_at <= now) return "late";
  return has_failed ? "failing" : "protected";
}

function after(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
