/** Endpoints that restore backups. */
import { z } from "@hono/zod-openapi";
import { TARGET_STATES } from "../../../protocol/restore_preview.ts";
import { previewRestore } from "../../../services/backups/restore_previews.ts";
import { startRestore } from "../../../services/backups/restores.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { databaseName } from "../../../definitions/sources/database_names.ts";
import { BACKUP_TASK_TYPES, RESTORE_FIELDS } from "../../../definitions/sources/registry.ts";
import { id } from "../../../definitions/formats/text.ts";
import { identity } from "../../input/secret_input.ts";
import { RestoreAmounts } from "../restore_amounts.ts";

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

const Preview = z.object({
  remote_server: z.object({ id: z.int(), label: z.string() }).openapi({
    description: "Where it is restored.",
  }),
  type: z.enum(BACKUP_TASK_TYPES),
  targets: z.array(z.object({
    source: z.string().openapi({ description: "Path or database in the backup." }),
    path: z.string().nullable().openapi({
      description: "Where it will be; null for a database of a server.",
    }),
    database_name: z.string().nullable(),
    state: z.enum(TARGET_STATES).nullable().openapi({
      description: "State of the location now; null if it is not known.",
    }),
  })).openapi({ description: "The first 100." }),
  targets_count: z.int(),
  server: z.string().nullable().openapi({ description: "The database server; null for files." }),
  requested: RestoreAmounts,
  free_bytes: z.int().nullable().openapi({ description: "Free space where files are unpacked." }),
  obstacles: z.array(z.object({
    path: z.string().nullable(),
    problem: z.string(),
    solution: z.string(),
  })).openapi({
    description:
      "Everything that would fail the restore, at most 100. `path` and `problem` are one sentence.",
  }),
  obstacles_count: z.int(),
  warnings: z.array(z.string()),
  is_possible: z.boolean().openapi({ description: "Whether there are no obstacles." }),
}).openapi("RestorePreview");

const EXAMPLE_BODY = { target_path: "/srv/restored", paths: ["etc/nginx", "index.html"], overwrite: false };

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
      example: EXAMPLE_BODY,
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
  endpoint({
    method: "post",
    path: "/api/backups/{id}/restore/preview",
    operationId: "previewRestore",
    group: "Backups",
    summary: "Preview a restore",
    description:
      "Takes the request of a restore, and says where everything would be restored, how much it is, and what would fail the restore. " +
      "The agent makes the checks of the restore itself, and changes nothing. What happens on the server afterwards can still fail it.",
    access: "restore-backups",
    audited: false,
    ids: { id: "Backup" },
    refusesUnknown: true,
    body: { schema: RestoreInput, example: EXAMPLE_BODY },
    errors: {
      409: "As for a restore, or the agent of the server is not connected or too old.",
      503: "The agent did not answer in time.",
    },
    answer: {
      status: 200,
      description: "The preview.",
      content: {
        type: "application/json",
        schema: z.object({ data: Preview }),
        example: {
          data: {
            remote_server: { id: 2, label: "web-1" },
            type: BACKUP_TASK_TYPES[0],
            targets: [{
              source: "etc/nginx",
              path: "/srv/restored/etc/nginx",
              database_name: null,
              state: "occupied",
            }],
            targets_count: 1,
            server: null,
            requested: {
              files_count: 12,
              directories_count: 3,
              bytes: 48211,
              databases_count: null,
              rows_count: null,
            },
            free_bytes: 52428800000,
            obstacles: [{
              path: "/srv/restored/etc/nginx/nginx.conf",
              problem: "is there already",
              solution: "Set overwrite to replace, or restore elsewhere.",
            }],
            obstacles_count: 1,
            warnings: [],
            is_possible: false,
          },
        },
      },
    },
    handle: async ({ services, caller, params, body }) => ({
      status: 200,
      body: { data: await previewRestore(services, caller, params.id, body) },
    }),
  }),
];
