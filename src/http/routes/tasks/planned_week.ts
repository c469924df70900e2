/** Endpoint that shows when the tasks of a workspace are due in a week. */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES } from "../../../definitions/sources/registry.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";
import { duration } from "../../../domain/durations.ts";
import {
  type PlannedServer,
  type PlannedTask,
  type PlannedWeek,
  planWeek,
} from "../../../services/tasks/planned_week.ts";
import { says } from "../../../definitions/formats/says.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, Time } from "../../input/time.ts";
import { backupTask } from "./backup_task_view.ts";

const Run = z.object({
  at: Time,
  local: z.string().openapi({ description: "ISO 8601 with the offset of `timezone`." }),
  until: Time.openapi({ description: "`at` if the duration is not known." }),
});

const Task = z.object({
  backup_task_id: z.int(),
  label: z.string(),
  type: z.enum(BACKUP_TASK_TYPES),
  description: z.string().openapi({ description: "The schedule in words." }),
  is_paused: z.boolean(),
  expected_duration_ms: z.int().nullable().openapi({
    description: "Median duration of the runs that made the newest ten backups. Null: there is no backup.",
  }),
  interval_ms: z.int().nullable().openapi({
    description:
      "Set if the task is due more than 28 times in the week: the shortest time between two due times. `runs` is " +
      "then empty.",
  }),
  interval: z.string().nullable().openapi({ description: "The interval in words.", example: "every 5 min" }),
  runs: z.array(Run),
});

const Week = z.object({
  timezone: z.string(),
  from: Time,
  until: Time,
  days: z.array(z.string()).openapi({ description: "The seven local days." }),
  servers: z.array(z.object({
    id: z.int(),
    label: z.string(),
    runs_at_once: z.int(),
    tasks: z.array(Task),
    overlaps: z.array(z.object({
      from: Time,
      until: Time,
      backup_task_ids: z.array(z.int()),
      most_at_once: z.int(),
      waits: z.boolean().openapi({
        description: "Whether runs have to wait: more are due at once than `runs_at_once`.",
      }),
    })).openapi({
      description: "Times at which several tasks are expected to run. Tasks with an interval do not count.",
    }),
  })).openapi({ description: "Servers with tasks, by label." }),
}).openapi("PlannedWeek");
type Week = z.output<typeof Week>;

function present({ timezone, from, until, days, servers, span }: PlannedWeek): Week {
  const presentTask = ({ task, description, times, interval }: PlannedTask) => ({
    backup_task_id: task.id,
    label: task.label,
    type: task.type,
    description,
    is_paused: task.paused_at !== null,
    expected_duration_ms: task.expected_duration_ms,
    interval_ms: interval?.ms ?? null,
    interval: interval === null ? null : intervalWords(interval),
    runs: times.map((at) => ({
      at: isoTime(at),
      local: span.iso(at),
      until: isoTime(new Date(at.getTime() + (task.expected_duration_ms ?? 0))),
    })),
  });
  return {
    timezone,
    from: isoTime(from),
    until: isoTime(until),
    days: [...days],
    servers: servers.map((server) => ({
      id: server.id,
      label: server.label,
      runs_at_once: server.runsAtOnce,
      tasks: server.tasks.map(presentTask),
      overlaps: presentOverlaps(server),
    })),
  };
}

function presentOverlaps({ overlaps, runsAtOnce }: PlannedServer) {
  return overlaps.map(({ from, until, taskIds, mostAtOnce }) => ({
    from: isoTime(new Date(from)),
    until: isoTime(new Date(until)),
    backup_task_ids: [...taskIds],
    most_at_once: mostAtOnce,
    waits: mostAtOnce > runsAtOnce,
  }));
}

/** Returns an interval in words: `every minute`, `every 5 min`, or `up to every 5 min` if it is irregular. */
function intervalWords({ ms, isRegular }: { ms: number; isRegular: boolean }): string {
  const words = ms === 60_000 ? "minute" : ms === 3_600_000 ? "hour" : duration(ms);
  return `${isRegular ? "" : "up to "}every ${words}`;
}

export const plannedWeekEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/week",
    operationId: "showPlannedWeek",
    group: backupTask.plural,
    summary: "Show the plan of a week",
    description:
      "Shows when each task is due in seven days, how long its runs are expected to take, and when several tasks of " +
      "a server overlap.",
    access: "view-backup-tasks",
    query: z.object({
      start: z.iso.date({ error: says("must be a day such as 2026-11-30") }).optional().openapi({
        description: "The first day. Default: the last Monday.",
        example: "2026-11-30",
      }),
      timezone: TASK_SCHEDULE_FIELDS.timezone.schema.optional().openapi({
        description: "The time zone of the days. Default: the user's.",
        example: "Europe/Berlin",
      }),
    }),
    answer: {
      status: 200,
      description: "The week, server by server.",
      content: { type: "application/json", schema: z.object({ data: Week }), example: { data: example() } },
    },
    async handle({ services, caller, query }) {
      return { status: 200, body: { data: present(await planWeek(services, caller, query)) } };
    },
  }),
];

function example(): Week {
  const monday = {
    at: "2026-11-30T01:30:00Z",
    local: "2026-11-30T02:30:00+01:00",
    until: "2026-11-30T01:40:00Z",
  };
  return {
    timezone: "Europe/Berlin",
    from: "2026-11-29T23:00:00Z",
    until: "2026-12-06T23:00:00Z",
    days: ["30", "01", "02", "03", "04", "05", "06"].map((day) => `2026-${day === "30" ? 11 : 12}-${day}`),
    servers: [{
      id: 2,
      label: "web",
      runs_at_once: 1,
      tasks: [{
        backup_task_id: 1,
        label: "Daily Database Backup",
        type: "database",
        description: "Every Monday at 02:30 Europe/Berlin",
        is_paused: false,
        expected_duration_ms: 600_000,
        interval_ms: null,
        interval: null,
        runs: [monday],
      }],
      overlaps: [],
    }],
  };
}
