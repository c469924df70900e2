/** `/api/backups`, and those of one task. */
import { z } from "@hono/zod-openapi";
import {
  type BackupDetailRow,
  deleteBackup,
  listBackups,
  listBackupsOfTask,
  showBackup,
} from "../../services/backups.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { PageQuery, windowOf } from "../pagination.ts";
import {
  deleteEndpoint,
  listBody,
  listContent,
  listEndpoint,
  type Resource,
  showEndpoint,
} from "../resource.ts";
import { isoTime, isoTimeOrNull, Time } from "../time.ts";

const Backup = z.object({
  id: z.int(),
  backup_task_id: z.int().nullable().openapi({ description: "Null once the task is deleted." }),
  backup_task_log_id: z.int().nullable(),
  backup_destination_id: z.int(),
  remote_server_id: z.int().nullable(),
  file_name: z.string().openapi({ description: "Of the first archive." }),
  directory: z.string().openapi({
    description: "Where the objects lie: a path, or a key prefix in the bucket.",
  }),
  size: z.int().openapi({ description: "Bytes of all archives, as stored." }),
  sha256: z.string().openapi({ description: "Of the first archive, as stored." }),
  engine: z.string(),
  encrypted: z.boolean(),
  bytes_read: z.int(),
  files_count: z.int().nullable(),
  warnings_count: z.int(),
  duration_ms: z.int(),
  incompressible_share: z.number().nullable().openapi({
    description: "From 0 to 1: the part of `bytes_read` in frames that did not compress.",
  }),
  suspicious_at: Time.nullable().openapi({
    description: "Set where the backup may be of files that ransomware encrypted.",
  }),
  suspicion: z.string().nullable().openapi({ description: "Why, in one line." }),
  status: z.enum(["stored", "deleting"]),
  removal_error: z.string().nullable().openapi({ description: "Why the last try to delete it failed." }),
  objects: z.array(z.object({
    role: z.enum(["archive", "index", "manifest"]),
    name: z.string(),
    size: z.int(),
    sha256: z.string(),
    database_name: z.string().nullable(),
  })),
  created_at: Time,
  verified_at: Time.nullable(),
  proven_at: Time.nullable(),
}).openapi("Backup");

const SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const backup: Resource<BackupDetailRow, z.output<typeof Backup>> = {
  name: "Backup",
  plural: "Backups",
  path: "/api/backups",
  schema: Backup,
  example: {
    id: 1,
    backup_task_id: 2,
    backup_task_log_id: 7,
    backup_destination_id: 1,
    remote_server_id: 2,
    file_name: "backup_2_20240807020000.tar.zst",
    directory: "/backups/weekly",
    size: 31457280,
    sha256: SHA256,
    engine: "tar",
    encrypted: false,
    bytes_read: 104857600,
    files_count: 1200,
    warnings_count: 0,
    duration_ms: 4200,
    incompressible_share: 0.12,
    suspicious_at: null,
    suspicion: null,
    status: "stored",
    removal_error: null,
    objects: [{
      role: "archive",
      name: "backup_2_20240807020000.tar.zst",
      size: 31457280,
      sha256: SHA256,
      database_name: null,
    }],
    created_at: "2024-08-07T02:00:04Z",
    verified_at: null,
    proven_at: null,
  },
  present: (row) => ({
    id: row.id,
    backup_task_id: row.backup_task_id,
    backup_task_log_id: row.run_id,
    backup_destination_id: row.backup_destination_id,
    remote_server_id: row.remote_server_id,
    file_name: row.file_name,
    directory: row.directory,
    size: row.size,
    sha256: row.sha256,
    engine: row.engine,
    encrypted: row.encrypted,
    bytes_read: row.bytes_read,
    files_count: row.files_count,
    warnings_count: row.warnings_count,
    duration_ms: row.duration_ms,
    incompressible_share: row.incompressible_share,
    suspicious_at: isoTimeOrNull(row.suspicious_at),
    suspicion: row.suspicion,
    status: row.removal_requested_at === null ? "stored" : "deleting",
    removal_error: row.removal_error,
    objects: row.objects,
    created_at: isoTime(row.created_at),
    verified_at: isoTimeOrNull(row.verified_at),
    proven_at: isoTimeOrNull(row.proven_at),
  }),
};

export const backupEndpoints: readonly Endpoint[] = [
  listEndpoint(backup, { access: "view-backup-tasks", list: listBackups }),
  showEndpoint(backup, { access: "view-backup-tasks", show: showBackup }),
  deleteEndpoint(backup, {
    access: "delete-backups",
    description:
      "Its objects are removed from the destination; until they are gone it is listed as `deleting`.",
    remove: deleteBackup,
  }),
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/backups",
    operationId: "listBackupsOfTask",
    group: backup.plural,
    summary: "List the backups of a task",
    access: "view-backup-tasks",
    ids: { id: "Backup task" },
    query: PageQuery,
    answer: { status: 200, description: "One page, oldest first.", content: listContent(backup) },
    async handle({ services, caller, params, query, request, baseUrl }) {
      const { rows, total } = await listBackupsOfTask(services, caller, params.id, windowOf(query));
      return { status: 200, body: listBody(backup, rows, total, query, request, baseUrl) };
    },
  }),
];
