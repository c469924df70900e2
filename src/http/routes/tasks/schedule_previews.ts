/** Endpoint that describes a schedule and lists its next due times. No task needs to be saved for this. */
import { z } from "@hono/zod-openapi";
import { localIso } from "../../../domain/timezone.ts";
import { shownShape } from "../../../definitions/fields/view.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";
import { previewSchedule, type SchedulePreview } from "../../../services/tasks/schedule_previews.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, Time } from "../../input/time.ts";
import { TaskScheduleInput } from "./backup_task_input.ts";
import { backupTask } from "./backup_task_view.ts";

const Preview = z.object({
  description: z.string(),
  schedule: z.object(shownShape(TASK_SCHEDULE_FIELDS)).openapi({
    description: "The schedule with its defaults.",
  }),
  next_runs: z.array(z.object({
    at: Time,
    local: z.string().openapi({ description: "ISO 8601 with the offset of `timezone` at that time." }),
  })).openapi({ description: "The next five due times; fewer if there are no more." }),
  notes: z.array(z.string()).openapi({
    description: "A sentence for each clock change of the next year that skips or repeats a due time.",
  }),
}).openapi("SchedulePreview");

function present({ schedule, description, times, notes }: SchedulePreview): z.output<typeof Preview> {
  return {
    description,
    schedule,
    next_runs: times.map((at) => ({ at: isoTime(at), local: localIso(schedule.timezone, at) })),
    notes: [...notes],
  };
}

const schedule = { frequency: "daily", time_to_run_at: "02:30", timezone: "Europe/Berlin" } as const;

export const schedulePreviewEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/schedules/preview",
    operationId: "previewSchedule",
    group: backupTask.plural,
    summary: "Preview a schedule",
    description:
      "Describes a schedule in words and lists its next due times. The fields and their rules are those of a new " +
      "task. Nothing is stored.",
    access: "view-backup-tasks",
    audited: false,
    body: { schema: TaskScheduleInput, example: schedule },
    answer: {
      status: 200,
      description: "The schedule in words, and when it is due next.",
      content: {
        type: "application/json",
        schema: z.object({ data: Preview }),
        example: {
          data: {
            description: "Every day at 02:30 Europe/Berlin",
            schedule: { ...schedule, weekday: null, custom_cron_expression: null },
            next_runs: [{ at: "2026-03-29T01:00:00Z", local: "2026-03-29T03:00:00+02:00" }],
            notes: [
              "On 2026-03-29 the clocks go forward from 02:00 to 03:00: 02:30 does not exist, so there is one run at 03:00.",
            ],
          },
        },
      },
    },
    async handle({ services, caller, body }) {
      return { status: 200, body: { data: present(await previewSchedule(services, caller, body)) } };
    },
  }),
];
