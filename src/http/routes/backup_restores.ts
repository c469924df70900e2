/** Ways back from a backup. */
import { z } from "@hono/zod-openapi";
import { startRestore } from "../../services/restores.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { id } from "../input.ts";
import { identity } from "../secret_input.ts";
import { absolutePath, innerPath } from "../path_input.ts";

const RestoreInput = z.object({
  remote_server_id: id().openapi({
    description: "Where to restore. Default: the server that made the backup.",
  }),
  target_path: absolutePath().openapi({
    description: "The directory to restore into. Default: where the files came from.",
  }),
  paths: z.array(innerPath()).max(1000).openapi({
    description: "Only these, each with all below it; relative to the source's root. Default: everything.",
  }),
  overwrite: z.boolean().openapi({
    description:
      "Replaces files that are in the way; without it they fail the run. What the backup does not hold stays either way.",
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
      "Queues a restore run. Everything is unpacked beside the target and proven before the target is touched: a restore " +
      "that fails leaves it as it was.",
    access: "restore-backups",
    ids: { id: "Backup" },
    body: {
      schema: RestoreInput,
      example: { target_path: "/srv/restored", paths: ["etc/nginx", "index.html"], overwrite: false },
    },
    errors: { 409: "The backup is being deleted, or lies out of the server's reach." },
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
