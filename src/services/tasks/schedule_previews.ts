/** Previews the schedule of a task that is not saved yet. */
import type { Input } from "../../definitions/fields/field.ts";
import type { TASK_SCHEDULE_FIELDS } from "../../definitions/task_schedule_fields.ts";
import { changeSchedule, NO_SCHEDULE, withDefaultWeekday } from "../../domain/backup_task.ts";
import { type Schedule, upcoming } from "../../domain/schedules/schedule.ts";
import { clockChangeNotes, describeSchedule } from "../../domain/schedules/schedule_words.ts";
import { timezoneOfUser } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

/** How many due times a preview lists. */
const LISTED = 5;

export interface SchedulePreview {
  /** The schedule with its defaults. */
  readonly schedule: Schedule;
  /** The schedule in words. */
  readonly description: string;
  /** The next due times. */
  readonly times: readonly Date[];
  /** A sentence for each clock change of the next year that skips or repeats a due time. */
  readonly notes: readonly string[];
}

/**
 * Returns when a new task with this schedule would run. The caller must have checked the input by the rules
 * of a new task.
 */
export async function previewSchedule(
  { clock, database }: ServiceContext,
  caller: Caller,
  input: Input<typeof TASK_SCHEDULE_FIELDS>,
): Promise<SchedulePreview> {
  const now = clock.now();
  const timezone = input.timezone ?? await timezoneOfUser(database, caller.userId);
  const fields = withDefaultWeekday(changeSchedule(NO_SCHEDULE, input), timezone, now);
  const schedule = { ...fields, timezone };
  return {
    schedule,
    description: describeSchedule(schedule),
    times: upcoming(schedule, now, LISTED),
    notes: clockChangeNotes(schedule, now),
  };
}
