/** Defines a backup in the API. */
import { z } from "@hono/zod-openapi";
import { isRestorable } from "../../../definitions/sources/definition.ts";
import { definitionOfEngine } from "../../../definitions/sources/registry.ts";
import { BACKUP_STATUSES, backupStatus, outcomeOfBackup } from "../../../domain/backup_status.ts";
import { originalDirectory } from "../../../domain/restore.ts";
import { OUTCOMES } from "../../../domain/run.ts";
import { SEVERITIES } from "../../../domain/guards/guard.ts";
import type { BackupDetailRow } from "../../../services/backups/backups.ts";
import type { Resource } from "../../resource.ts";
import { NamedRecord } from "../named_record.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const Backup = z.object({
  id: z.int(),
  backup_task_id: z.int().nullable().openapi({ description: "Null once the task is deleted." }),
  backup_task: NamedRecord.nullable(),
  backup_task_log_id: z.int().nullable(),
  backup_destination_id: z.int(),
  backup_destination: NamedRecord,
  remote_server_id: z.int().nullable(),
  remote_server: NamedRecord.nullable(),
  original_directory: z.string().nullable().openapi({
    description:
      "Files only: the directory that a restore without `target_path` restores into; null if it is " +
      "not known.",
  }),
  file_name: z.string().openapi({ description: "Name of the first archive." }),
  directory: z.string().openapi({
    description: "Where the objects are: a path, or a key prefix in the bucket.",
  }),
  size: z.int().openapi({ description: "Bytes of all archives, as stored." }),
  previous_size: z.int().nullable().openapi({
    description: "`size` of the task's backup before this one; null if there is none.",
  }),
  sha256: z.string().openapi({ description: "Checksum of the first archive, as stored." }),
  engine: z.string(),
  source_label: z.string().openapi({ description: "What it contains, such as `PostgreSQL databases`." }),
  is_listed: z.boolean().openapi({ description: "Whether `/api/backups/{id}/files` lists its contents." }),
  restore_fields: z.array(z.string()).openapi({
    description: "The fields that a restore of it takes besides `remote_server_id`, `overwrite` and " +
      "`identity`; empty if agents can't restore it.",
  }),
  restore_refusal: z.string().nullable().openapi({ description: "Why agents can't restore it." }),
  encrypted: z.boolean(),
  encryption: z.enum(["none", "password", "recipients"]),
  encryption_recipients: z.array(z.string()).openapi({
    description: "The public keys that it is encrypted to. The secret key of any of them decrypts it.",
  }),
  bytes_read: z.int(),
  files_count: z.int().nullable(),
  outcome: z.enum(OUTCOMES).openapi({
    description: "`warnings` if its run warned, or if something is missing from it; otherwise `succeeded`.",
  }),
  warnings_count: z.int(),
  duration_ms: z.int(),
  incompressible_share: z.number().nullable().openapi({
    description: "From 0 to 1: the part of `bytes_read` in frames that did not compress.",
  }),
  status: z.enum(BACKUP_STATUSES).openapi({
    description:
      "`damaged`: damage was found when it was read back; `deleting`: its objects are being deleted.",
  }),
  removal_error: z.string().nullable().openapi({ description: "Why the last attempt to delete it failed." }),
  removal_attempts: z.int().openapi({ description: "Number of failed attempts to delete it." }),
  deletes_at: Time.nullable().openapi({
    description: "Set when a user deletes it: until then it is in the trash and can be restored from there.",
  }),
  held: z.boolean().openapi({ description: "Whether it is kept until it is released." }),
  hold_reason: z.string().nullable(),
  hold_ends_at: Time.nullable().openapi({
    description: "Set when it is released: it stays held until then.",
  }),
  damaged_at: Time.nullable(),
  damage_reason: z.string().nullable(),
  findings: z.array(z.object({ name: z.string(), message: z.string(), severity: z.enum(SEVERITIES) }))
    .openapi({
      description:
        "Findings of the guards when it was made. A `critical` one makes it suspicious until a user " +
        "clears it; it stays listed.",
    }),
  suspicious_at: Time.nullable().openapi({
    description: "While it is set, retention removes neither this backup nor older ones of its task.",
  }),
  suspicion: z.string().nullable().openapi({
    description: "Why it is suspicious: it may contain files that ransomware encrypted, or it shrank.",
  }),
  incomplete: z.boolean().openapi({
    description: "Whether something is missing from it. It never replaces a complete backup.",
  }),
  missing: z.array(z.object({ name: z.string(), reason: z.string() })).openapi({
    description: "Parts that are missing, such as a database that could not be dumped, and why.",
  }),
  unreadable_count: z.int().openapi({
    description: "Number of files that could not be read. The warnings of its run name them.",
  }),
  objects: z.array(z.object({
    role: z.enum(["archive", "index", "manifest"]),
    name: z.string(),
    size: z.int(),
    sha256: z.string(),
    database_name: z.string().nullable(),
  })),
  created_at: Time,
  verified_at: Time.nullable(),
  proven_at: Time.nullable().openapi({ description: "When a drill last restored it." }),
  drill_duration_ms: z.int().nullable().openapi({ description: "Duration of that restore." }),
}).openapi("Backup");

/** Returns the fields of a backup that depend on its source type. */
function presentSource({ engine, objects }: BackupDetailRow) {
  const { label, isListed, restore } = definitionOfEngine(engine);
  return {
    source_label: label,
    is_listed: isListed === true && objects.some(({ role }) => role === "index"),
    restore_fields: isRestorable(restore) ? Object.keys(restore.fields) : [],
    restore_refusal: isRestorable(restore) ? null : restore.refusal,
  };
}

function related(id: number | null, label: string | null): z.output<typeof NamedRecord> | null {
  return id === null || label === null ? null : { id, label };
}

const RECIPIENT = "age14dzgq5jzjzp4lwnp2udpu2naeqrzcjm9xwrzu7hrp8jc5cpxzpgqdtsnsn";
const SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

export const backup: Resource<BackupDetailRow, z.output<typeof Backup>> = {
  name: "Backup",
  plural: "Backups",
  path: "/api/backups",
  schema: Backup,
  example: {
    id: 1,
    backup_task_id: 2,
    backup_task: { id: 2, label: "Website" },
    backup_task_log_id: 7,
    backup_destination_id: 1,
    backup_destination: { id: 1, label: "Archive bucket" },
    remote_server_id: 2,
    remote_server: { id: 2, label: "web-1" },
    original_directory: "/var/www",
    file_name: "backup_2_20240807020000.tar.zst.age",
    directory: "/backups/weekly",
    size: 31457280,
    previous_size: 31400960,
    sha256: SHA256,
    engine: "tar",
    source_label: definitionOfEngine("tar").label,
    is_listed: true,
    restore_fields: ["target_path", "paths"],
    restore_refusal: null,
    encrypted: true,
    encryption: "recipients",
    encryption_recipients: [RECIPIENT],
    bytes_read: 104857600,
    files_count: 1200,
    outcome: "succeeded",
    warnings_count: 0,
    duration_ms: 4200,
    incompressible_share: 0.12,
    status: "stored",
    removal_error: null,
    removal_attempts: 0,
    deletes_at: null,
    held: true,
    hold_reason: "Before the move to the new server",
    hold_ends_at: null,
    damaged_at: null,
    damage_reason: null,
    findings: [],
    suspicious_at: null,
    suspicion: null,
    incomplete: false,
    missing: [],
    unreadable_count: 0,
    objects: [{
      role: "archive",
      name: "backup_2_20240807020000.tar.zst.age",
      size: 31457280,
      sha256: SHA256,
      database_name: null,
    }],
    created_at: "2024-08-07T02:00:04Z",
    verified_at: null,
    proven_at: null,
    drill_duration_ms: null,
  },
  present: (row) => ({
    id: row.id,
    backup_task_id: row.backup_task_id,
    backup_task: related(row.backup_task_id, row.backup_task_label),
    backup_task_log_id: row.run_id,
    backup_destination_id: row.backup_destination_id,
    backup_destination: { id: row.backup_destination_id, label: row.backup_destination_label },
    remote_server_id: row.remote_server_id,
    remote_server: related(row.remote_server_id, row.remote_server_label),
    original_directory: originalDirectory(row.source),
    file_name: row.file_name,
    directory: row.directory,
    size: row.size,
    previous_size: row.previous_size,
    sha256: row.sha256,
    engine: row.engine,
    ...presentSource(row),
    encrypted: row.encrypted,
    encryption: row.encryption,
    encryption_recipients: row.encryption_recipients,
    bytes_read: row.bytes_read,
    files_count: row.files_count,
    outcome: outcomeOfBackup(row),
    warnings_count: row.warnings_count,
    duration_ms: row.duration_ms,
    incompressible_share: row.incompressible_share,
    status: backupStatus(row),
    removal_error: row.removal_error,
    removal_attempts: row.removal_attempts,
    deletes_at: isoTimeOrNull(row.deletes_at),
    held: row.held_at !== null,
    hold_reason: row.hold_reason,
    hold_ends_at: isoTimeOrNull(row.hold_ends_at),
    damaged_at: isoTimeOrNull(row.damaged_at),
    damage_reason: row.damage_reason,
    findings: row.findings,
    suspicious_at: isoTimeOrNull(row.suspicious_at),
    suspicion: row.suspicion,
    incomplete: row.missing.length > 0 || row.unreadable_count > 0,
    missing: row.missing,
    unreadable_count: row.unreadable_count,
    objects: row.objects,
    created_at: isoTime(row.created_at),
    verified_at: isoTimeOrNull(row.verified_at),
    proven_at: isoTimeOrNull(row.proven_at),
    drill_duration_ms: row.drill_duration_ms,
  }),
};
