/**
 * Rules on a backup task's schedule and encryption. If one change sets several fields, their order does not
 * matter.
 */
import type { Schedule } from "./schedules/schedule.ts";
import { localWeekday } from "./timezone.ts";

export type ScheduleFields = Omit<Schedule, "timezone">;

/** The empty schedule with which a new task starts. The fields of the request then change it. */
export const NO_SCHEDULE: ScheduleFields = {
  frequency: null,
  time_to_run_at: null,
  weekday: null,
  custom_cron_expression: null,
};

/**
 * Returns the schedule after `change`. Fields that are undefined in `change` stay as they were. A cron
 * expression clears frequency, time and weekday. A frequency or time clears the cron expression. If a change
 * has a cron expression and also a frequency or time, only the cron expression counts.
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

/**
 * Returns the schedule. A weekly schedule without a weekday gets the weekday on which the task was created,
 * in the task's time zone.
 */
export function withDefaultWeekday<S extends ScheduleFields>(
  schedule: S,
  timezone: string,
  createdAt: Date,
): S {
  if (schedule.frequency !== "weekly" || schedule.weekday !== null) return schedule;
  return { ...schedule, weekday: localWeekday(timezone, createdAt) };
}

/** Returns error messages for the missing fields of a schedule, by field. */
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

/**
 * Returns the problem if both a password and recipients are set, because an age file cannot have both.
 * Returns an empty list if there is no problem.
 */
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
