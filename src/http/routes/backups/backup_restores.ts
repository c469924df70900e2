/** Endpoints that restore backups. */
import { z } from "@hono/zod-openapi";
import { startRestore } from "../../../services/backups/restores.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { databaseName } from "../../../definitions/sources/database_names.ts";
import { RESTORE_FIELDS } from "../../../definitions/sources/registry.ts";
import { id } from "../../../definitions/formats/text.ts";
import { identity } from "../../input/secret_input.ts";

const RestoreInput = z.object({
  remote_server_id: id().openapi({
    description: "Where to restore. Default: the server that made the backup.",
  }),
  ...RESTORE_FIELDS,
  database_name: databaseName().openapi({
    description:
      "Databases only. A new name for the database, where one is restored. Default: each has the name it had.",
  }),
  overwrite: z.boolean().openapi({
    description:
      "Replaces files that are in the way; without it they fail the run. Files that the backup does not hold stay either way. " +
      "A database that holds something is replaced as a whole.",
  }),
  identity: identity().openapi({
    description:
      "For a backup that is encrypted to recipients: the secret key of one of them. It is stored nowhere.",
  }),
}).partial();

const message = "Restore initiated successfully.";

export const backupRestoreEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/backups/{id}/restore",
    operationId: "restoreBackup",
    group: "Backups",
    summary: "Restore a backup",
    description:
      "Queues a restore run. Everything is unpacked beside the target, databases are loaded into fresh ones, and all is proven " +
      "before the target is touched: a restore that fails leaves it as it was. A database is restored on the server that its " +
      "task names, with the task's user and password; once the task is gone, on the local socket. From another machine than the " +
      "task's, a task's `database_host` that is not that machine itself is refused: say which one to use. What lies on the disk of " +
      "another server is sent by its agent, through the control plane.",
    access: "restore-backups",
    ids: { id: "Backup" },
    refusesUnknown: true,
    body: {
      schema: RestoreInput,
      example: { target_path: "/srv/restored", paths: ["etc/nginx", "index.html"], overwrite: false },
    },
    errors: {
      409:
        "The backup is being deleted, needs an identity, holds the control plane's own state, or lies on the disk of another " +
        "server, whose agent is not connected, too old or gone.",
    },
    answer: {
      status: 202,
      description: "The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`.",
      content: {
        type: "application/json",
        schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
        example: { message, backup_task_log_id: 8 },
      },
    },
    async handle({ services, caller, params, body }) {
      const { runId } = await startRestore(services, caller, params.id, body);
      return { status: 202, body: { message, backup_task_log_id: runId } };
    },
  }),
];
