/** Endpoints about the schedule of backup tasks: upcoming runs, pause and resume. */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES } from "../../../definitions/sources/registry.ts";
import { humanWait } from "../../../domain/schedules/schedule.ts";
import {
  type BackupTaskRow,
  listUpcoming,
  pauseBackupTask,
  resumeBackupTask,
} from "../../../services/tasks/backup_tasks.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { dataContent, listBody, listContent, type Resource } from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";
import { backupTask } from "./backup_task_view.ts";

const GROUP = backupTask.plural;

const Upcoming = z.object({
  backup_task_id: z.int(),
  label: z.string(),
  type: z.enum(BACKUP_TASK_TYPES),
  next_run: Time,
  next_run_human: z.string(),
}).openapi("UpcomingBackupTask");

function upcomingAt(
  now: Date,
): Resource<
  Pick<BackupTaskRow, "id" | "label" | "type" | "next_run_at">,
  z.output<typeof Upcoming>
> {
  return {
    name: "Upcoming backup task",
    plural: GROUP,
    path: "/api/backup-tasks/upcoming",
    schema: Upcoming,
    example: {
      backup_task_id: 1,
      label: "Daily Database Backup",
      type: "database",
      next_run: "2024-08-08T01:00:00Z",
      next_run_human: "in 5 hours",
    },
    present: (row) => ({
      backup_task_id: row.id,
      label: row.label,
      type: row.type,
      next_run: isoTime(row.next_run_at!),
      next_run_human: humanWait(now, row.next_run_at!),
    }),
  };
}

export const backupTaskScheduleEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/upcoming",
    operationId: "listUpcomingBackupTasks",
    group: GROUP,
    summary: "List upcoming backup tasks",
    access: "view-backup-tasks",
    query: PageQuery,
    answer: {
      status: 200,
      description: "Tasks with a scheduled run, soonest first.",
      content: listContent(upcomingAt(new Date("2024-08-07T20:00:00Z"))),
    },
    async handle({ services, caller, query, ...sent }) {
      const listed = await listUpcoming(services, caller, windowOf(query));
      const resource = upcomingAt(services.clock.now());
      return { status: 200, body: listBody(resource, listed, query, sent) };
    },
  }),
  pauseEndpoint("pause", "Backup task paused successfully.", pauseBackupTask),
  pauseEndpoint("resume", "Backup task resumed successfully.", resumeBackupTask),
];

function pauseEndpoint(name: "pause" | "resume", message: string, change: typeof pauseBackupTask): Endpoint {
  const content = dataContent(backupTask);
  return endpoint({
    method: "post",
    path: `/api/backup-tasks/{id}/${name}`,
    operationId: `${name}BackupTask`,
    group: GROUP,
    summary: `${name === "pause" ? "Pause" : "Resume"} a backup task`,
    description: "A paused task runs neither by schedule nor by hand; an active run continues.",
    access: "pause-backup-tasks",
    ids: { id: backupTask.name },
    answer: {
      status: 200,
      description: "The task after the change.",
      content: {
        ...content,
        schema: z.object({ message: z.string(), ...content.schema.shape }),
        example: { message, ...content.example },
      },
    },
    async handle({ services, caller, params }) {
      const task = await change(services, caller, params.id);
      return { status: 200, body: { message, data: backupTask.present(task) } };
    },
  });
}
