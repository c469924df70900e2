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
      "Databases only. A new name for the database, if only one is restored. Default: the original names.",
  }),
  overwrite: z.boolean().openapi({
    description:
      "Replaces existing files; without it they fail the run. Files that are not in the backup stay in either case. " +
      "A database that is not empty is replaced as a whole.",
  }),
  identity: identity().openapi({
    description:
      "For a backup that is encrypted to recipients: the secret key of one of them. It is never stored.",
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
      "Queues a restore run. Files are unpacked next to the target, databases are loaded into new ones, and everything is verified " +
      "before the target changes: a failed restore leaves it unchanged. A database is restored on the server that its " +
      "task names, with the task's user and password; once the task is deleted, on the local socket. From another machine than the " +
      "task's, the task's `database_host` is refused unless it is that machine itself: set `database_host`. A backup on the disk of " +
      "another server is sent by that server's agent, through the control plane.",
    access: "restore-backups",
    needsFreshLogin: (body) => body.overwrite === true,
    ids: { id: "Backup" },
    refusesUnknown: true,
    body: {
      schema: RestoreInput,
      example: { target_path: "/srv/restored", paths: ["etc/nginx", "index.html"], overwrite: false },
    },
    errors: {
      409:
        "The backup is being deleted, needs an identity, contains the control plane's own state, or is on the disk of another " +
        "server, whose agent is not connected, too old or deleted.",
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
