/** Endpoints that show a backup task's status, and that start and cancel its run. */
import { z } from "@hono/zod-openapi";
import { backupTaskStatus } from "../../../services/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import { cancelRun, startRun } from "../../../services/runs/runs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import { backupTask, taskStatus } from "./backup_task_view.ts";

const GROUP = backupTask.plural;
const ids = { id: backupTask.name };

export const backupTaskRunEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/status",
    operationId: "showBackupTaskStatus",
    group: GROUP,
    summary: "Get the status of a backup task",
    access: "view-backup-tasks",
    ids,
    answer: {
      status: 200,
      description: "`running` from when a backup run is queued until it ends, otherwise `ready`.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.object({ id: z.int(), status: z.enum(["ready", "running"]) }) }),
        example: { data: { id: 1, status: "ready" } },
      },
    },
    async handle({ services, caller, params }) {
      const { id, is_running } = await backupTaskStatus(services, caller, params.id);
      return { status: 200, body: { data: { id, status: taskStatus(is_running) } } };
    },
  }),
  verb("run", {
    body: {
      schema: z.object({
        queue: nullAsAbsent(z.boolean()).openapi({
          description:
            "Whether the run waits for a slot if its server is at its limit of concurrent runs. Default: false, which gives 409.",
        }),
      }).openapi("BackupTaskRunRequest"),
      example: { queue: true },
    },
    operationId: "runBackupTask",
    summary: "Run a backup task",
    message: "Backup task initiated successfully.",
    status: 202,
    conflict: "The backup task is paused, queued or running, or its server is at its limit of runs at once " +
      "and `queue` is not true.",
    start: startRun,
  }),
  verb("cancel", {
    operationId: "cancelBackupTask",
    summary: "Cancel the run of a backup task",
    message: "Backup task cancellation requested successfully.",
    status: 200,
    conflict: "The backup task has no run in progress.",
    start: cancelRun,
  }),
];

/**
 * Defines an endpoint that starts or cancels a task's run. The response contains a message and the id of the
 * run's log.
 */
function verb(name: string, definition: {
  operationId: string;
  summary: string;
  message: string;
  status: number;
  conflict: string;
  body?: Endpoint["body"];
  start(
    services: ServiceContext,
    caller: Caller,
    taskId: number,
    body?: { queue?: boolean },
  ): Promise<{ runId: number }>;
}): Endpoint {
  const { operationId, summary, message, status, conflict, body, start } = definition;
  return endpoint({
    method: "post",
    path: `/api/backup-tasks/{id}/${name}`,
    operationId,
    group: GROUP,
    summary,
    access: "run-backup-tasks",
    ids,
    body,
    errors: { 409: conflict },
    answer: {
      status,
      description: "The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`.",
      content: {
        type: "application/json",
        schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
        example: { message, backup_task_log_id: 7 },
      },
    },
    async handle({ services, caller, params, body }) {
      const { runId } = await start(services, caller, params.id, body);
      return { status, body: { message, backup_task_log_id: runId } };
    },
  });
}
