/** Defines the endpoints about the last runs of tasks. */
import { z } from "@hono/zod-openapi";
import { integer } from "../../../definitions/formats/text.ts";
import { OUTCOMES, RUN_TRIGGERS } from "../../../domain/run.ts";
import {
  showStrips,
  showTaskRuns,
  type TaskRun,
  type TaskStrip,
} from "../../../services/history/task_runs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idList } from "../../input/list_filters.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const TaskRunView = z.object({
  id: z.int().openapi({ description: "The id of the run's log." }),
  created_at: Time,
  started_at: Time.nullable(),
  finished_at: Time,
  duration_ms: z.int().nullable().openapi({ description: "From start to end; null if no agent began it." }),
  outcome: z.enum(OUTCOMES).nullable().openapi({ description: "Null: a person cancelled it." }),
  trigger: z.enum(RUN_TRIGGERS),
  read_bytes: z.int().openapi({ description: "Bytes read from the source." }),
  stored_bytes: z.int().openapi({ description: "Bytes of its backup; 0: it stored none." }),
  files_count: z.int().nullable(),
  warnings_count: z.int(),
  backup_id: z.int().nullable().openapi({ description: "Null: it stored none, or the backup is deleted." }),
  reason: z.string().nullable(),
}).openapi("BackupTaskRun");

function presentRun(run: TaskRun): z.output<typeof TaskRunView> {
  const { started_at, finished_at } = run;
  return {
    ...run,
    created_at: isoTime(run.created_at),
    started_at: isoTimeOrNull(started_at),
    finished_at: isoTime(finished_at),
    duration_ms: started_at && finished_at.getTime() - started_at.getTime(),
  };
}

const Strip = z.object({
  backup_task_id: z.int(),
  runs: z.array(z.object({
    id: z.int(),
    outcome: z.enum([...OUTCOMES, "cancelled"]),
    created_at: Time,
  })).openapi({ description: "The oldest first." }),
}).openapi("BackupTaskStrip");

function presentStrip({ backup_task_id, ids, created, outcomes }: TaskStrip): z.output<typeof Strip> {
  const runs = ids.map((id, index) => ({
    id,
    outcome: outcomes[index]!,
    created_at: isoTime(new Date(created[index]! * 1000)),
  }));
  return { backup_task_id, runs };
}

const example = { id: 7, created_at: "2024-08-07T01:00:00Z" };

export const taskRunEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/history",
    operationId: "showBackupTaskHistory",
    group: "History",
    summary: "Show the durations and sizes of a task's last runs",
    access: "view-backup-tasks",
    ids: { id: "Backup task" },
    query: z.object({
      limit: integer(1, 200).default(200).openapi({ description: "How many runs at most.", example: 200 }),
    }),
    answer: {
      status: 200,
      description: "Ended backup runs, the oldest first.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.array(TaskRunView) }),
        example: {
          data: [{
            ...example,
            started_at: "2024-08-07T01:00:01Z",
            finished_at: "2024-08-07T01:02:01Z",
            duration_ms: 120000,
            outcome: "succeeded",
            trigger: "schedule",
            read_bytes: 104857600,
            stored_bytes: 31457280,
            files_count: 1200,
            warnings_count: 0,
            backup_id: 3,
            reason: null,
          }],
        },
      },
    },
    async handle({ services, caller, params, query }) {
      const runs = await showTaskRuns(services, caller, params.id, query.limit);
      return { status: 200, body: { data: runs.map(presentRun) } };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/history/strips",
    operationId: "showStrips",
    group: "History",
    summary: "Show the outcomes of the last runs of many tasks",
    access: "view-backup-tasks",
    query: z.object({
      ids: idList.optional().openapi({
        type: "string",
        description: "The ids of the tasks, separated by commas. Default: all tasks of the workspace.",
        example: "1,2,3",
      }),
      limit: integer(1, 30).default(30).openapi({
        description: "How many runs of a task at most.",
        example: 30,
      }),
    }),
    answer: {
      status: 200,
      description: "Each task with its ended backup runs. Unknown tasks are left out.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.array(Strip) }),
        example: { data: [{ backup_task_id: 1, runs: [{ ...example, outcome: "succeeded" }] }] },
      },
    },
    async handle({ services, caller, query }) {
      const strips = await showStrips(services, caller, query);
      return { status: 200, body: { data: strips.map(presentStrip) } };
    },
  }),
];
