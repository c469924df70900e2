/** Conditions that last: told when they begin, once a day while they go on, and when they end. */

export const ALERT_KINDS = [
  /** Runs of a backup task fail. */
  "backup.failing",
  /** A backup task's run is queued for too long. */
  "backup.overdue",
  /** Due times pass while an earlier run of the task is active. */
  "backup.skipping",
  /** The schedule of a task can't be read. */
  "schedule.broken",
  /** Nothing of a run moves. */
  "run.stalled",
  /** A run takes far longer than the task's last ones. */
  "run.slow",
  /** Verifications of a task's backups could not be made, twice in a row. */
  "verification.failing",
  "drill.failing",
  "agent.gone",
  "agent.duplicate",
  /** Backups or leftovers of a destination can't be removed for a day. */
  "removal.failing",
  /** Messages to a notification stream were given up. */
  "notifications.failing",
] as const;
export type AlertKind = typeof ALERT_KINDS[number];

/**
 * Between two messages about the same condition. An hour short of a day, because a daily schedule in local
 * time has days of 23 hours. Milliseconds.
 */
export const REMIND_AFTER = 23 * 3_600_000;
