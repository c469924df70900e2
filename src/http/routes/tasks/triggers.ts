/**
 * Defines the endpoint with which other systems start runs of a task. Also defines the endpoints that manage
 * the token for starting runs.
 */
import { z } from "@hono/zod-openapi";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import {
  removeTriggerToken,
  rotateTriggerToken,
  startTriggeredRun,
} from "../../../services/tasks/triggers.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { messageContent } from "../../resource.ts";
import { backupTask } from "./backup_task_view.ts";

const GROUP = backupTask.plural;
const ids = { id: backupTask.name };
const STARTED = "Backup task initiated successfully.";
const REMOVED = "Trigger token successfully deleted";
const EXAMPLE_TOKEN = "rgt_Jm0hF1ZkQ2bq3uYv8s5nT7xWc9aRd4eG6iLoPpKjXyU";

export const triggerEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/backup-tasks/{id}/trigger",
    operationId: "triggerBackupTask",
    group: GROUP,
    summary: "Run a backup task with its trigger's token",
    description:
      "For other systems: the token can start runs of this task, and nothing else. It goes into the header " +
      "`Authorization: Bearer`, the header `X-Trigger-Token`, or, where a sender can set no header, the parameter `token`. " +
      "Unknown fields of the body are ignored.",
    access: "trigger",
    ids,
    query: z.object({
      token: z.string().max(512).optional().openapi({ description: "The token.", example: EXAMPLE_TOKEN }),
    }),
    body: {
      schema: z.object({
        queue: nullAsAbsent(z.boolean()).openapi({
          description: "Whether the run waits for a slot if its server is at its limit of concurrent runs. " +
            "Default: true; false gives 409.",
        }),
      }).openapi("BackupTaskTriggerRequest"),
      example: { queue: true },
    },
    errors: { 409: "The backup task is paused, queued or running." },
    answer: {
      status: 202,
      description: "The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`.",
      content: {
        type: "application/json",
        schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
        example: { message: STARTED, backup_task_log_id: 7 },
      },
    },
    async handle({ services, params, body }) {
      const { runId } = await startTriggeredRun(services, params.id, { queue: body.queue ?? true });
      return { status: 202, body: { message: STARTED, backup_task_log_id: runId } };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/backup-tasks/{id}/trigger-token",
    operationId: "rotateTriggerToken",
    group: GROUP,
    summary: "Make or replace the token of a task's trigger",
    description: "The earlier token is invalid at once. Only a hash is stored.",
    access: "update-backup-tasks",
    needsFreshLogin: true,
    ids,
    showsSecretOnce: true,
    answer: {
      status: 201,
      description: "The token, which is not shown again.",
      content: {
        type: "application/json",
        schema: z.object({
          data: z.object({
            token: z.string().openapi({ description: "It is not shown again." }),
            url: z.string().openapi({ description: "Where it is sent to, by POST." }),
          }).openapi("TriggerToken"),
        }),
        example: {
          data: { token: EXAMPLE_TOKEN, url: "https://backup.example.com/api/backup-tasks/1/trigger" },
        },
      },
    },
    async handle({ services, caller, params, baseUrl }) {
      const token = await rotateTriggerToken(services, caller, params.id);
      return {
        status: 201,
        body: { data: { token, url: `${baseUrl}/api/backup-tasks/${params.id}/trigger` } },
      };
    },
  }),
  endpoint({
    method: "delete",
    path: "/api/backup-tasks/{id}/trigger-token",
    operationId: "deleteTriggerToken",
    group: GROUP,
    summary: "Delete the token of a task's trigger",
    access: "update-backup-tasks",
    ids,
    errors: { 404: "There is no such task, or it has no trigger token." },
    answer: { status: 200, description: "It is invalid from now on.", content: messageContent(REMOVED) },
    async handle({ services, caller, params }) {
      await removeTriggerToken(services, caller, params.id);
      return { status: 200, body: { message: REMOVED } };
    },
  }),
];
