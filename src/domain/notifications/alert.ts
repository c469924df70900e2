/**
 * Alerts about lasting problems: they are reported when they begin, once a day while they last, and when they
 * end.
 */

const ALERT_KINDS = [
  /** A backup task's runs fail. */
  "backup.failing",
  /** A backup task's newest backup is older than promised. */
  "backup.late",
  /** A backup task's run is queued for too long. */
  "backup.overdue",
  /** Due times of a task are skipped because an earlier run is active. */
  "backup.skipping",
  /** The schedule of a task cannot be parsed. */
  "schedule.broken",
  /** A run makes no progress. */
  "run.stalled",
  /** A run takes far longer than the previous runs of its task. */
  "run.slow",
  /** Twice in a row, a verification of a task's backups could not be carried out. */
  "verification.failing",
  "drill.failing",
  "agent.gone",
  "agent.duplicate",
  /** Removing backups or leftovers from a destination has failed for a day. */
  "removal.failing",
  /** A destination has little free space. */
  "destination.nearly_full",
  /** Messages to a notification stream could not be delivered and were given up. */
  "notifications.failing",
  /** The last token with the admin ability expires soon, or has expired. */
  "access.ending",
  /** The certificate of the control plane's public URL, or of a destination's endpoint, expires soon. */
  "certificate.expiring",
  /** An agent is older than its control plane. */
  "agent.outdated",
  /** A newer version of Rearguard exists. */
  "release.available",
] as const;
export type AlertKind = typeof ALERT_KINDS[number];

/**
 * Interval between two messages about the same problem, in milliseconds. It is an hour less than a day,
 * because some days have only 23 hours in local time.
 */
export const REMIND_AFTER = 23 * 3_600_000;

/** A time that is longer than any alert lasts, in milliseconds: a hundred years. */
const NEVER = 36_500 * 24 * 3_600_000;

/**
 * Returns the interval in milliseconds between reminders about a problem. It applies to streams whose
 * `remind_after` is null.
 */
export function remindAfter(kind: AlertKind): number {
  return kind === "agent.outdated" || kind === "release.available" ? NEVER : REMIND_AFTER;
}

const STEADY_AFTER: Partial<Record<AlertKind, number>> = {
  "backup.failing": REMIND_AFTER,
  "backup.late": REMIND_AFTER,
  "backup.skipping": REMIND_AFTER,
  "verification.failing": REMIND_AFTER,
  "drill.failing": REMIND_AFTER,
  "agent.gone": 3_600_000,
};

/**
 * Returns how long a problem must be absent before its end is reported, in milliseconds. With 0, the end is
 * reported at once. The end is also reported at once if the problem was not reported twice within {@link
 * REMIND_AFTER}. So a problem that comes and goes is not reported each time.
 */
export function steadyAfter(kind: AlertKind): number {
  return STEADY_AFTER[kind] ?? 0;
}
