/**
 * Defines a backup task in the API. The objects `source`, `schedule` and `storage` contain some of the task's
 * fields, as in the original API contract. Every field of the task is also shown outside these objects, under
 * its own name.
 */
import { z } from "@hono/zod-openapi";
import { newColumns } from "../../../definitions/fields/columns.ts";
import { insideShape, presentFields, presentInside, shownShape } from "../../../definitions/fields/view.ts";
import { describeSource } from "../../../definitions/sources/registry.ts";
import { TASK_FIELDS, TASK_PLAN_FIELDS } from "../../../definitions/task_fields.ts";
import { sourceValues } from "../../../definitions/task_source_fields.ts";
import { OUTCOMES } from "../../../domain/run.ts";
import { describeSchedule } from "../../../domain/schedules/schedule_words.ts";
import { localClock, localIso } from "../../../domain/timezone.ts";
import type { BackupTaskDetail } from "../../../services/tasks/backup_tasks.ts";
import type { Resource } from "../../resource.ts";
import { exampleProtection, presentProtection, ProtectionView } from "./protection_view.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { NamedRecord } from "../named_record.ts";

const text = z.string().nullable();
const clock = text.openapi({ description: "Time of the next run, `HH:MM`.", example: "01:00" });

const BackupTask = z.object({
  id: z.int(),
  user_id: z.int(),
  ...shownShape(TASK_FIELDS),
  remote_server: NamedRecord,
  backup_destination: NamedRecord,
  source: z.object({
    ...insideShape(TASK_FIELDS, "source"),
    description: z.string().openapi({ description: "What is backed up, in words.", example: "/var/www" }),
  }).openapi("TaskSource"),
  schedule: z.object({
    ...insideShape(TASK_FIELDS, "schedule"),
    description: z.string().openapi({ description: "The schedule in words." }),
    scheduled_utc_time: clock,
    scheduled_local_time: clock,
    next_run_at: Time.nullable().openapi({ description: "Null while the task is paused." }),
  }).openapi("TaskSchedule"),
  storage: z.object(insideShape(TASK_FIELDS, "storage")).openapi("TaskStorage"),
  status: z.enum(["ready", "running"]),
  protection: ProtectionView,
  has_isolated_credentials: z.boolean(),
  notification_streams_count: z.int(),
  last_run_utc_time: Time.nullable(),
  last_run_local_time: text.openapi({ description: "ISO 8601 with the offset of `schedule.timezone`." }),
  last_run_outcome: z.enum(OUTCOMES).nullable().openapi({
    description: "How the last backup run that ended turned out. Null: none has ended, or it was cancelled.",
  }),
  skipped_schedules: z.object({ count: z.int(), last_at: Time.nullable() }).openapi({
    description:
      "Number of due times in the last 30 days that were skipped because an earlier run of the task was active.",
  }),
  has_trigger_token: z.boolean().openapi({
    description: "Whether other systems can start runs with the token of the task's trigger.",
  }),
  trigger_token_last_used_at: Time.nullable().openapi({
    description: "When that token was last used, to the minute. Null: never, or there is none.",
  }),
  paused_at: Time.nullable(),
  tags: z.array(z.object({ id: z.int(), label: z.string(), colour: text })),
  backups: z.object({ count: z.int(), size: z.int().openapi({ description: "Stored bytes." }) }).openapi({
    description: "Its backups, without those that are in the trash or being deleted.",
  }),
  last_proven_at: Time.nullable().openapi({
    description: "When a drill last restored a backup of the task. Null: never.",
  }),
  restore_duration_ms: z.int().nullable().openapi({ description: "Duration of that restore." }),
  source_changed_at: Time.nullable().openapi({
    description: "Backups from before this time are not compared with later ones. Null: all are compared.",
  }),
  created_at: Time,
  updated_at: Time,
}).openapi("BackupTask");
type BackupTask = z.output<typeof BackupTask>;

/** Returns `running` while a backup run is queued or active, and `ready` at other times. */
export function taskStatus(isRunning: boolean): "ready" | "running" {
  return isRunning ? "running" : "ready";
}

function present(row: BackupTaskDetail): BackupTask {
  const next = row.next_run_at;
  return {
    id: row.id,
    user_id: row.user_id,
    ...presentFields(TASK_PLAN_FIELDS, row),
    remote_server: row.remote_server,
    backup_destination: row.backup_destination,
    source: {
      ...presentInside(TASK_FIELDS, "source", row),
      description: describeSource(sourceValues(row)),
    },
    schedule: {
      ...presentInside(TASK_FIELDS, "schedule", row),
      description: describeSchedule(row),
      scheduled_utc_time: next && localClock("UTC", next),
      scheduled_local_time: next && localClock(row.timezone, next),
      next_run_at: row.paused_at === null ? isoTimeOrNull(next) : null,
    },
    storage: presentInside(TASK_FIELDS, "storage", row),
    status: taskStatus(row.is_running),
    protection: presentProtection(row.protection),
    has_isolated_credentials: row.isolated_username !== null,
    notification_streams_count: row.notification_stream_ids.length,
    last_run_utc_time: isoTimeOrNull(row.last_run_at),
    last_run_local_time: row.last_run_at && localIso(row.timezone, row.last_run_at),
    last_run_outcome: row.last_outcome,
    skipped_schedules: { count: row.skipped_count, last_at: isoTimeOrNull(row.last_skipped_at) },
    has_trigger_token: row.has_trigger_token,
    trigger_token_last_used_at: isoTimeOrNull(row.trigger_token_last_used_at),
    paused_at: isoTimeOrNull(row.paused_at),
    source_changed_at: isoTimeOrNull(row.source_changed_at),
    last_proven_at: isoTimeOrNull(row.last_proven_at),
    restore_duration_ms: row.restore_duration_ms,
    tags: row.tags,
    backups: row.backups,
    ...presentFields(TASK_FIELDS, row),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  };
}

const created = new Date("2024-08-07T00:00:00Z");

/** The first task in the examples of the original API contract. */
const exampleRow: BackupTaskDetail = {
  id: 1,
  user_id: 1,
  workspace_id: 1,
  ...newColumns(TASK_FIELDS, {
    remote_server_id: 2,
    backup_destination_id: 1,
    label: "Daily Database Backup",
    description: "Backup of production database",
    type: "database",
    source_path: "/var/www/html",
    database_name: "production_db",
    excluded_database_tables: "logs,cache",
    frequency: "daily",
    time_to_run_at: "01:00",
    timezone: "UTC",
    maximum_backups_to_keep: 7,
    appended_file_name: "daily_backup",
    store_path: "/backups",
    isolated_username: "backup",
    isolated_password: "set",
  }, (secret) => secret),
  drill_queued_at: null,
  last_proven_at: null,
  restore_duration_ms: null,
  source_changed_at: null,
  paused_at: null,
  retention_changed_at: null,
  next_run_at: new Date("2024-08-08T01:00:00Z"),
  created_at: created,
  updated_at: created,
  is_running: false,
  last_run_at: new Date("2024-08-07T01:00:00Z"),
  skipped_count: 0,
  last_skipped_at: null,
  has_trigger_token: false,
  trigger_token_last_used_at: null,
  script_ids: [],
  tag_ids: [],
  notification_stream_ids: [],
  tags: [],
  remote_server: { id: 2, label: "web-1" },
  backup_destination: { id: 1, label: "Object storage" },
  backups: { count: 7, size: 220200960 },
  promised_at: created,
  late_at: new Date("2024-08-08T07:00:00Z"),
  newest_backup_id: 1,
  newest_backup_at: new Date("2024-08-07T01:00:30Z"),
  newest_duration_ms: 30_000,
  newest_warnings_count: 0,
  last_outcome: "succeeded",
  has_failed: false,
  failure: null,
  protection: exampleProtection,
};

export const backupTask: Resource<BackupTaskDetail, BackupTask> = {
  name: "Backup task",
  plural: "Backup tasks",
  path: "/api/backup-tasks",
  schema: BackupTask,
  example: present(exampleRow),
  present,
};
