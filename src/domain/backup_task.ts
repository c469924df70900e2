/** Rules on a backup task's schedule and encryption, whatever the order in which the fields were set. */
import type { Schedule } from "./schedule.ts";
import { localWeekday } from "./timezone.ts";

export type ScheduleFields = Omit<Schedule, "timezone">;

/**
 * Returns the schedule after `change`, whose undefined fields stay as they were. A cron expression clears
 * frequency, time and weekday. A frequency or time clears the cron expression. If both are sent, the cron
 * expression wins.
 */
export function changeSchedule(current: ScheduleFields, change: Partial<ScheduleFields>): ScheduleFields {
  if (isGiven(change.custom_cron_expression)) {
    const { custom_cron_expression } = change;
    return { frequency: null, time_to_run_at: null, weekday: null, custom_cron_expression };
  }
  const of = <K extends keyof ScheduleFields>(field: K): ScheduleFields[K] =>
    change[field] === undefined ? current[field] : change[field] as ScheduleFields[K];
  const clearsCron = isGiven(change.frequency) || isGiven(change.time_to_run_at);
  return {
    frequency: of("frequency"),
    time_to_run_at: of("time_to_run_at"),
    weekday: of("frequency") === "weekly" ? of("weekday") : null,
    custom_cron_expression: clearsCron ? null : of("custom_cron_expression"),
  };
}

/** Gives a weekly schedule without a weekday the task's creation weekday, in the task's time zone. */
export function withDefaultWeekday<S extends ScheduleFields>(
  schedule: S,
  timezone: string,
  createdAt: Date,
): S {
  if (schedule.frequency !== "weekly" || schedule.weekday !== null) return schedule;
  return { ...schedule, weekday: localWeekday(timezone, createdAt) };
}

/** Returns every field that the schedule lacks, with the reason. Fields may be undefined. */
export function missingScheduleFields(
  plan: { readonly [K in keyof ScheduleFields]?: unknown },
): Record<string, string[]> {
  const missing: Record<string, string[]> = {};
  if (!isGiven(plan.custom_cron_expression)) {
    for (const field of ["frequency", "time_to_run_at"] as const) {
      if (isGiven(plan[field])) continue;
      const name = field.replaceAll("_", " ");
      missing[field] = [`The ${name} field is required unless a custom cron expression is given.`];
    }
  }
  return missing;
}

/** Returns the reason if a password and recipients are both set: an age file cannot have both. */
export function encryptionConflict(hasPassword: boolean, recipients: readonly string[]): string[] {
  if (!hasPassword || recipients.length === 0) return [];
  return [
    "The encryption recipients can't be used together with an encryption password. " +
    "Send null for one of them.",
  ];
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
