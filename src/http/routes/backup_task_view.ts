/** A backup task as callers see it: the seed's shape, then every input that is no secret under its own name. */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES } from "../../domain/backup_task.ts";
import { GUARD_ACTIONS } from "../../domain/guards.ts";
import { localClock, localIso } from "../../domain/timezone.ts";
import type { BackupTaskDetailRow } from "../../services/backup_tasks.ts";
import type { Resource } from "../resource.ts";
import { isoTime, isoTimeOrNull, Time } from "../time.ts";
import { presentRetention, retentionShown } from "./retention_fields.ts";

const text = z.string().nullable();
const clock = text.openapi({ description: "`HH:MM` of the next run.", example: "01:00" });

const BackupTask = z.object({
  id: z.int(),
  user_id: z.int(),
  remote_server_id: z.int(),
  backup_destination_id: z.int(),
  label: z.string(),
  description: text,
  source: z.object({
    path: text,
    type: z.enum(BACKUP_TASK_TYPES),
    database_name: text,
    excluded_tables: text,
  }),
  schedule: z.object({
    frequency: z.enum(["daily", "weekly"]).nullable(),
    time: text.openapi({ description: "`HH:MM` in `timezone`, as sent." }),
    custom_cron: text,
    scheduled_utc_time: clock,
    scheduled_local_time: clock,
    timezone: z.string(),
    next_run_at: Time.nullable().openapi({ description: "Null while the task is paused." }),
  }),
  storage: z.object({ max_backups: z.int(), appended_filename: text, path: text }),
  status: z.enum(["ready", "running"]),
  has_isolated_credentials: z.boolean(),
  has_isolated_password: z.boolean(),
  has_encryption_password: z.boolean(),
  has_database_password: z.boolean(),
  notification_streams_count: z.int(),
  last_run_utc_time: Time.nullable(),
  last_run_local_time: text.openapi({ description: "ISO 8601 with the offset of `schedule.timezone`." }),
  paused_at: Time.nullable(),
  tags: z.array(z.object({ id: z.int(), label: z.string(), colour: text })),
  type: z.enum(BACKUP_TASK_TYPES),
  source_path: text,
  excluded_paths: z.array(z.string()),
  allow_unreadable: z.boolean(),
  database_name: text,
  database_type: z.enum(["postgresql", "mysql"]).nullable(),
  database_host: text,
  database_port: z.int().nullable(),
  database_username: text,
  database_format: z.enum(["custom", "plain"]),
  excluded_database_tables: text,
  frequency: z.enum(["daily", "weekly"]).nullable(),
  time_to_run_at: text,
  weekday: z.int().nullable(),
  custom_cron_expression: text,
  timezone: z.string(),
  ...retentionShown,
  appended_file_name: text,
  store_path: text,
  isolated_username: text,
  encryption_recipients: z.array(z.string()).openapi({ description: "age public keys." }),
  run_timeout: z.int().nullable(),
  on_shrink: z.enum(GUARD_ACTIONS),
  on_incompressible: z.enum(GUARD_ACTIONS),
  verify_every: z.int(),
  drill_every: z.int(),
  last_proven_at: Time.nullable().openapi({
    description: "When a drill restored a backup of the task last. Null: none did yet.",
  }),
  restore_duration_ms: z.int().nullable().openapi({ description: "How long that restore took." }),
  source_changed_at: Time.nullable().openapi({
    description: "What was stored before is not compared with what is stored now. Null: as it was created.",
  }),
  tag_ids: z.array(z.int()),
  notification_stream_ids: z.array(z.int()),
  created_at: Time,
  updated_at: Time,
}).openapi("BackupTask");
type BackupTask = z.output<typeof BackupTask>;

/** `ready`, or `running` from the moment a backup run is queued until it is over. */
export function taskStatus(isRunning: boolean): "ready" | "running" {
  return isRunning ? "running" : "ready";
}

function present(row: BackupTaskDetailRow): BackupTask {
  const next = row.next_run_at;
  return {
    id: row.id,
    user_id: row.user_id,
    remote_server_id: row.remote_server_id,
    backup_destination_id: row.backup_destination_id,
    label: row.label,
    description: row.description,
    source: {
      path: row.source_path,
      type: row.type,
      database_name: row.database_name,
      excluded_tables: row.excluded_database_tables,
    },
    schedule: {
      frequency: row.frequency,
      time: row.time_to_run_at,
      custom_cron: row.custom_cron_expression,
      scheduled_utc_time: next && localClock("UTC", next),
      scheduled_local_time: next && localClock(row.timezone, next),
      timezone: row.timezone,
      next_run_at: row.paused_at === null ? isoTimeOrNull(next) : null,
    },
    storage: {
      max_backups: row.maximum_backups_to_keep,
      appended_filename: row.appended_file_name,
      path: row.store_path,
    },
    status: taskStatus(row.is_running),
    has_isolated_credentials: row.isolated_username !== null,
    has_isolated_password: row.isolated_password_encrypted !== null,
    has_encryption_password: row.encryption_password_encrypted !== null,
    has_database_password: row.database_password_encrypted !== null,
    notification_streams_count: row.notification_stream_ids.length,
    last_run_utc_time: isoTimeOrNull(row.last_run_at),
    last_run_local_time: row.last_run_at && localIso(row.timezone, row.last_run_at),
    paused_at: isoTimeOrNull(row.paused_at),
    source_changed_at: isoTimeOrNull(row.source_changed_at),
    last_proven_at: isoTimeOrNull(row.last_proven_at),
    restore_duration_ms: row.restore_duration_ms,
    tags: row.tags,
    ...inputs(row),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  };
}

/** What was sent, by the names it was sent under. */
function inputs(row: BackupTaskDetailRow) {
  return {
    type: row.type,
    source_path: row.source_path,
    excluded_paths: row.excluded_paths,
    allow_unreadable: row.allow_unreadable,
    database_name: row.database_name,
    database_type: row.database_type,
    database_host: row.database_host,
    database_port: row.database_port,
    database_username: row.database_username,
    database_format: row.database_format,
    excluded_database_tables: row.excluded_database_tables,
    frequency: row.frequency,
    time_to_run_at: row.time_to_run_at,
    weekday: row.weekday,
    custom_cron_expression: row.custom_cron_expression,
    timezone: row.timezone,
    ...presentRetention(row),
    appended_file_name: row.appended_file_name,
    store_path: row.store_path,
    isolated_username: row.isolated_username,
    encryption_recipients: row.encryption_recipients,
    run_timeout: row.run_timeout,
    on_shrink: row.on_shrink,
    on_incompressible: row.on_incompressible,
    verify_every: row.verify_every,
    drill_every: row.drill_every,
    tag_ids: row.tags.map((tag) => tag.id),
    notification_stream_ids: row.notification_stream_ids,
  };
}

const created = new Date("2024-08-07T00:00:00Z");

/** The seed's first task. */
const exampleRow: BackupTaskDetailRow = {
  id: 1,
  user_id: 1,
  remote_server_id: 2,
  backup_destination_id: 1,
  label: "Daily Database Backup",
  description: "Backup of production database",
  type: "database",
  source_path: "/var/www/html",
  excluded_paths: [],
  allow_unreadable: false,
  database_name: "production_db",
  database_type: null,
  database_host: null,
  database_port: null,
  database_username: null,
  database_password_encrypted: null,
  database_format: "custom",
  excluded_database_tables: "logs,cache",
  frequency: "daily",
  time_to_run_at: "01:00",
  weekday: null,
  custom_cron_expression: null,
  timezone: "UTC",
  maximum_backups_to_keep: 7,
  keep_last: null,
  keep_hourly: null,
  keep_daily: null,
  keep_weekly: null,
  keep_monthly: null,
  keep_yearly: null,
  minimum_age_days: null,
  appended_file_name: "daily_backup",
  store_path: "/backups",
  isolated_username: "backup",
  isolated_password_encrypted: "set",
  encryption_password_encrypted: null,
  encryption_recipients: [],
  run_timeout: null,
  on_shrink: "warn",
  on_incompressible: "warn",
  verify_every: 7,
  drill_every: 30,
  drill_queued_at: null,
  last_proven_at: null,
  restore_duration_ms: null,
  source_changed_at: null,
  paused_at: null,
  next_run_at: new Date("2024-08-08T01:00:00Z"),
  created_at: created,
  updated_at: created,
  is_running: false,
  last_run_at: new Date("2024-08-07T01:00:00Z"),
  notification_stream_ids: [],
  tags: [],
};

export const backupTask: Resource<BackupTaskDetailRow, BackupTask> = {
  name: "Backup task",
  plural: "Backup tasks",
  path: "/api/backup-tasks",
  schema: BackupTask,
  example: present(exampleRow),
  present,
};
