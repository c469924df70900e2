/** Lasting conditions: reported when they begin, once a day while they last, and when they end. */

const ALERT_KINDS = [
  /** A backup task's runs fail. */
  "backup.failing",
  /** A backup task's run is queued for too long. */
  "backup.overdue",
  /** Due times pass while an earlier run of the task is active. */
  "backup.skipping",
  /** The schedule of a task cannot be parsed. */
  "schedule.broken",
  /** A run makes no progress. */
  "run.stalled",
  /** A run takes far longer than the task's previous ones. */
  "run.slow",
  /** Verifications of a task's backups failed to run, twice in a row. */
  "verification.failing",
  "drill.failing",
  "agent.gone",
  "agent.duplicate",
  /** Removing backups or leftovers from a destination has failed for a day. */
  "removal.failing",
  /** Messages to a notification stream were given up. */
  "notifications.failing",
  /** The last token with the admin ability expires soon, or has expired. */
  "access.ending",
] as const;
export type AlertKind = typeof ALERT_KINDS[number];

/**
 * Interval between two messages about the same condition, in milliseconds. An hour less than a day, because a
 * daily schedule in local time has days of 23 hours.
 */
export const REMIND_AFTER = 23 * 3_600_000;

const STEADY_AFTER: Partial<Record<AlertKind, number>> = {
  "backup.failing": REMIND_AFTER,
  "backup.skipping": REMIND_AFTER,
  "verification.failing": REMIND_AFTER,
  "drill.failing": REMIND_AFTER,
  "agent.gone": 3_600_000,
};

/**
 * Returns how long a condition must have been absent before its end is reported, if it was reported twice
 * within {@link REMIND_AFTER}; milliseconds. An unsteady condition would otherwise be reported each time that
 * it comes and goes. 0: the condition ends at once, as with the run that it is about.
 */
export function steadyAfter(kind: AlertKind): number {
  return STEADY_AFTER[kind] ?? 0;
}
