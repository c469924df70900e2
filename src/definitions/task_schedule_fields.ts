/** Fields of a backup task that say when it runs. */
import * as z from "zod";
import { cronProblem } from "../domain/schedules/schedule.ts";
import { isTimezone } from "../domain/timezone.ts";
import { defineFields } from "./fields/field.ts";
import { says } from "./formats/says.ts";
import { integer, limited, line, oneLine, timeOfDay, trimmed } from "./formats/text.ts";

/** Accepts a cron expression. Tabs between its fields are accepted, and stored as blanks. */
const cronExpression = oneLine(
  limited(trimmed(z.string()).overwrite((value) => value.replace(/[ \t]+/g, " ")).min(1), 255),
).superRefine((value, context) => {
  const problem = cronProblem(value);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

export const TASK_SCHEDULE_FIELDS = defineFields({
  frequency: {
    schema: z.enum(["daily", "weekly"]),
    help: "how often it runs, unless a cron expression is set",
    description: "Needed unless `custom_cron_expression` is given; clears it.",
    alsoShownAs: "schedule.frequency",
  },
  time_to_run_at: {
    schema: timeOfDay(),
    help: "time of day, in the task's time zone",
    description: "`HH:MM` in `timezone`. Needed unless `custom_cron_expression` is given.",
    example: "02:30",
    placeholder: "HH:MM",
    alsoShownAs: "schedule.time",
  },
  weekday: {
    schema: integer(0, 6),
    help: "day of a weekly task, Sunday 0; by default the weekday of its creation",
    description: "Day of a weekly task, Sunday 0. Default: the weekday of its creation.",
  },
  custom_cron_expression: {
    schema: cronExpression,
    help: 'schedule in place of frequency and time, such as "0 2 * * MON-FRI"',
    description:
      "Five fields, or a nickname such as `@daily`; `L`, `W` and `#` as the library croner supports them. Clears " +
      "`frequency` and `time_to_run_at`.",
    example: "0 2 * * MON-FRI",
    placeholder: "cron",
    alsoShownAs: "schedule.custom_cron",
  },
  timezone: {
    schema: line(64).refine(isTimezone, {
      error: says("must be a time zone of the IANA database, such as Europe/Berlin"),
    }),
    help: "time zone of the schedule, such as Europe/Berlin",
    description: "Default: the user's.",
    example: "Europe/Berlin",
    placeholder: "name",
    defaultFrom: "the user's",
    alsoShownAs: "schedule.timezone",
  },
});
