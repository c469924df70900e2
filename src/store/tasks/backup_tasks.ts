/** Backup tasks: the plans. */
import type { BackupTaskType } from "../../domain/backup_task.ts";
import type { GuardAction } from "../../domain/guards.ts";
import type { RetentionPolicy } from "../../domain/retention.ts";
import type { Sql } from "../database/sql.ts";
import {
  allOf,
  createdWithin,
  equalTo,
  holdsText,
  type ListOrder,
  orderBy,
  type Page,
} from "../database/page.ts";

export interface BackupTaskRow extends RetentionPolicy {
  id: number;
  user_id: number;
  remote_server_id: number;
  backup_destination_id: number;
  label: string;
  description: string | null;
  type: BackupTaskType;
  source_path: string | null;
  excluded_paths: string[];
  allow_unreadable: boolean;
  database_name: string | null;
  database_type: "postgresql" | "mysql" | null;
  database_host: string | null;
  database_port: number | null;
  database_username: string | null;
  database_password_encrypted: string | null;
  database_format: "custom" | "plain";
  excluded_database_tables: string | null;
  frequency: "daily" | "weekly" | null;
  time_to_run_at: string | null;
  weekday: number | null;
  custom_cron_expression: string | null;
  timezone: string;
  appended_file_name: string | null;
  store_path: string | null;
  isolated_username: string | null;
  isolated_password_encrypted: string | null;
  encryption_password_encrypted: string | null;
  encryption_recipients: string[];
  run_timeout: number | null;
  /** Seconds, like the next three; null: the control plane's default. */
  stall_warning: number | null;
  stall_timeout: number | null;
  lock_wait_timeout: number | null;
  overdue_after: number | null;
  on_shrink: GuardAction;
  on_incompressible: GuardAction;
  /** Days; 0: not by itself. */
  verify_every: number;
  drill_every: number;
  drill_queued_at: Date | null;
  /** Of the last drill that proved a backup of it. */
  last_proven_at: Date | null;
  restore_duration_ms: number | null;
  /** When it became another source; null: as it was created. */
  source_changed_at: Date | null;
  paused_at: Date | null;
  /** When a person last changed how long its backups are kept; null: never. */
  retention_changed_at: Date | null;
  next_run_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** A task with what belongs to it: what a listing shows. */
export interface BackupTaskDetailRow extends BackupTaskRow {
  /** A backup run of it is not terminal. */
  is_running: boolean;
  /** When its newest backup run that began did so. */
  last_run_at: Date | null;
  /** Due times of the last 30 days that passed while one of its runs was active. */
  skipped_count: number;
  last_skipped_at: Date | null;
  notification_stream_ids: number[];
  tags: { id: number; label: string; colour: string | null }[];
}

export type NewBackupTask = Omit<
  BackupTaskRow,
  | "id"
  | "user_id"
  | "paused_at"
  | "retention_changed_at"
  | "source_changed_at"
  | "drill_queued_at"
  | "last_proven_at"
  | "restore_duration_ms"
  | "created_at"
  | "updated_at"
>;
export type BackupTaskChanges = Partial<Omit<BackupTaskRow, "id" | "user_id" | "created_at" | "updated_at">>;

export async function insertBackupTask(
  sql: Sql,
  userId: number,
  task: NewBackupTask,
  now: Date,
): Promise<number> {
  const values = { ...task, user_id: userId, planned_at: now, created_at: now, updated_at: now };
  const [row] = await sql<{ id: number }[]>`insert into backup_tasks ${sql(values)} returning id`;
  return row!.id;
}

export async function updateBackupTask(
  sql: Sql,
  id: number,
  changes: BackupTaskChanges,
  now: Date,
): Promise<void> {
  const planned = changes.next_run_at === undefined ? {} : { planned_at: now };
  await sql`update backup_tasks set ${sql({ ...changes, ...planned, updated_at: now })} where id = ${id}`;
}

export async function deleteBackupTask(sql: Sql, id: number): Promise<void> {
  await sql`delete from backup_tasks where id = ${id}`;
}

/** Whoever it belongs to. */
export async function findBackupTask(sql: Sql, id: number): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`select * from backup_tasks where id = ${id}`;
  return row;
}

/** Keeps the row from changing until the transaction ends. */
export async function lockBackupTask(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`
    select * from backup_tasks where id = ${id} and user_id = ${userId} for update`;
  return row;
}

export async function findBackupTaskOf(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`
    select * from backup_tasks where id = ${id} and user_id = ${userId}`;
  return row;
}

/** Everything a listing shows of tasks `t`, each looked up by its own index. */
function detailColumns(sql: Sql) {
  return sql`
    exists (
      select from runs where backup_task_id = t.id and kind = 'backup'
        and state in ('queued', 'leased', 'running', 'cancelling')
    ) as is_running,
    (
      select started_at from runs where backup_task_id = t.id and kind = 'backup' and started_at is not null
      order by id desc limit 1
    ) as last_run_at,
    (
      select count(*) from skipped_schedules
      where backup_task_id = t.id
    ) as skipped_count,
    (
      select max(due_at) from skipped_schedules
      where backup_task_id = t.id
    ) as last_skipped_at,
    (
      select coalesce(json_agg(notification_stream_id order by notification_stream_id), '[]')
      from backup_task_notification_streams where backup_task_id = t.id
    ) as notification_stream_ids,
    (
      select coalesce(json_agg(json_build_object('id', id, 'label', label, 'colour', colour) order by id), '[]')
      from backup_task_tags join tags on id = tag_id where backup_task_id = t.id
    ) as tags`;
}

export async function findBackupTaskDetail(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupTaskDetailRow | undefined> {
  const [row] = await sql<BackupTaskDetailRow[]>`
    select t.*, ${detailColumns(sql)} from backup_tasks t where t.id = ${id} and t.user_id = ${userId}`;
  return row;
}

/** Filters a listing of tasks. An absent field does not filter. */
export interface BackupTaskFilter {
  readonly status?: "ready" | "running" | "paused";
  readonly type?: BackupTaskRow["type"];
  readonly remote_server_id?: number;
  readonly backup_destination_id?: number;
  readonly tag_id?: number;
  readonly since?: Date;
  readonly until?: Date;
  /** Text in the label or the description. */
  readonly search?: string;
}

const SORTS = {
  created_at: "created_at",
  label: "label",
  next_run_at: "next_run_at",
  updated_at: "updated_at",
};

/** One query for a page and its total, unless the page is empty. */
export async function listBackupTasks(
  sql: Sql,
  userId: number,
  offset: number,
  limit: number,
  { sort, ...filter }: BackupTaskFilter & ListOrder = {},
): Promise<Page<BackupTaskDetailRow>> {
  const where = taskCondition(sql, userId, filter);
  const order = orderBy(sql, sort, SORTS);
  const rows = await sql<(BackupTaskDetailRow & { total: number })[]>`
    select t.*, ${detailColumns(sql)},
      (select count(*) from backup_tasks where ${where}) as total
    from (
      select * from backup_tasks where ${where} ${order} limit ${limit} offset ${offset}
    ) t ${order}`;
  return { rows, total: rows[0]?.total ?? await countBackupTasks(sql, userId, filter) };
}

export async function countBackupTasks(
  sql: Sql,
  userId: number,
  filter: BackupTaskFilter = {},
): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    select count(*) as total from backup_tasks where ${taskCondition(sql, userId, filter)}`;
  return row!.total;
}

function taskCondition(sql: Sql, userId: number, filter: BackupTaskFilter) {
  const { status, type, remote_server_id, backup_destination_id, tag_id, search } = filter;
  const isRunning = sql`id in (
    select backup_task_id from runs where kind = 'backup' and backup_task_id is not null
      and state in ('queued', 'leased', 'running', 'cancelling'))`;
  return allOf(sql, [
    sql`user_id = ${userId}`,
    status === "paused" ? sql`paused_at is not null` : null,
    status === "running" ? isRunning : status === "ready" ? sql`not ${isRunning}` : null,
    ...equalTo(sql, { type, remote_server_id, backup_destination_id }),
    tag_id === undefined
      ? null
      : sql`id in (select backup_task_id from backup_task_tags where tag_id = ${tag_id})`,
    ...createdWithin(sql, filter),
    search === undefined ? null : holdsText(sql, ["label", "description"], search),
  ]);
}

/** Tasks that are not paused, soonest first. */
export async function listUpcomingBackupTasks(
  sql: Sql,
  userId: number,
  offset: number,
  limit: number,
): Promise<Page<BackupTaskRow>> {
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from backup_tasks
    where user_id = ${userId} and paused_at is null and next_run_at is not null`;
  const rows = await sql<BackupTaskRow[]>`
    select * from backup_tasks where user_id = ${userId} and paused_at is null and next_run_at is not null
    order by next_run_at, id limit ${limit} offset ${offset}`;
  return { rows, total: count!.total };
}

/** A backup run of the task that is not terminal. */
export async function hasActiveBackupRun(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    select from runs where backup_task_id = ${id} and kind = 'backup'
      and state in ('queued', 'leased', 'running', 'cancelling')`;
  return rows.length > 0;
}

export async function replaceTaskTags(sql: Sql, taskId: number, tagIds: readonly number[]): Promise<void> {
  await sql`delete from backup_task_tags where backup_task_id = ${taskId}`;
  await sql`
    insert into backup_task_tags (backup_task_id, tag_id)
    select ${taskId}, tag_id from unnest(${[...new Set(tagIds)]}::bigint[]) as tag_id`;
}

export async function replaceTaskNotificationStreams(
  sql: Sql,
  taskId: number,
  streamIds: readonly number[],
): Promise<void> {
  await sql`delete from backup_task_notification_streams where backup_task_id = ${taskId}`;
  await sql`
    insert into backup_task_notification_streams (backup_task_id, notification_stream_id)
    select ${taskId}, stream_id from unnest(${[...new Set(streamIds)]}::bigint[]) as stream_id`;
}

export async function timezoneOfUser(sql: Sql, userId: number): Promise<string> {
  const [row] = await sql<{ timezone: string }[]>`select timezone from users where id = ${userId}`;
  return row!.timezone;
}

/** Which of `ids` are tags of this user; none of them is deleted until the transaction ends. */
export async function ownedTags(sql: Sql, userId: number, ids: readonly number[]): Promise<Set<number>> {
  const rows = await sql<{ id: number }[]>`
    select id from tags where user_id = ${userId} and id = any(${[...ids]}::bigint[]) for key share`;
  return new Set(rows.map((row) => row.id));
}

/** Which of `ids` are notification streams of this user; none of them is deleted until the transaction ends. */
export async function ownedNotificationStreams(
  sql: Sql,
  userId: number,
  ids: readonly number[],
): Promise<Set<number>> {
  const rows = await sql<{ id: number }[]>`
    select id from notification_streams
    where user_id = ${userId} and id = any(${[...ids]}::bigint[]) for key share`;
  return new Set(rows.map((row) => row.id));
}
