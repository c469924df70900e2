/** Backup tasks: what to back up, where to, and when. */
import type { Columns, Relations } from "../../definitions/fields/field.ts";
import { TASK_FIELDS, type TaskFields } from "../../definitions/task_fields.ts";
import type { Sql } from "../database/sql.ts";
import {
  allOf,
  containsText,
  createdWithin,
  equalTo,
  type ListOrder,
  orderBy,
  type Page,
} from "../database/page.ts";
import { relatedIds } from "../database/relations.ts";

/** A task: its fields, and what the control plane records about it. */
export type BackupTaskRow = Columns<TaskFields> & {
  id: number;
  user_id: number;
  drill_queued_at: Date | null;
  /** The start of the last drill that restored one of its backups successfully. */
  last_proven_at: Date | null;
  restore_duration_ms: number | null;
  /** When the task became another source; null if it never did. */
  source_changed_at: Date | null;
  paused_at: Date | null;
  /** When a user last made a change after which rules may remove other backups; null: never. */
  retention_changed_at: Date | null;
  next_run_at: Date | null;
  created_at: Date;
  updated_at: Date;
};

/** A task with related records and counts, for listings. */
export type BackupTaskDetailRow = BackupTaskRow & Relations<TaskFields> & {
  /** Whether one of its backup runs is not in a final state. */
  is_running: boolean;
  /** The start of its newest backup run that has started. */
  last_run_at: Date | null;
  /** The number of due times in the last 30 days that passed while one of its runs was active. */
  skipped_count: number;
  last_skipped_at: Date | null;
  tags: { id: number; label: string; colour: string | null }[];
};

export type NewBackupTask = Columns<TaskFields> & Pick<BackupTaskRow, "next_run_at">;
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

/** Records a change after which rules may remove other backups. */
export async function recordRetentionChange(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update backup_tasks set retention_changed_at = ${now} where id = ${id}`;
}

export async function deleteBackupTask(sql: Sql, id: number): Promise<void> {
  await sql`delete from backup_tasks where id = ${id}`;
}

/** Finds a task of any user. */
export async function findBackupTask(sql: Sql, id: number): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`select * from backup_tasks where id = ${id}`;
  return row;
}

/** Locks a task against changes until the transaction ends. */
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

/** Returns the columns that a listing shows of tasks `t`. Each value is looked up with its own index. */
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
    ${relatedIds(sql, TASK_FIELDS, "backup_task_id")},
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

/** Lists a page of tasks. Uses one query for the page and the total, unless the page is empty. */
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

async function countBackupTasks(
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
    search === undefined ? null : containsText(sql, ["label", "description"], search),
  ]);
}

/** Lists tasks that are not paused, the soonest first. */
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

/** Returns whether a backup run of the task is not in a final state. */
export async function hasActiveBackupRun(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    select from runs where backup_task_id = ${id} and kind = 'backup'
      and state in ('queued', 'leased', 'running', 'cancelling')`;
  return rows.length > 0;
}

export async function timezoneOfUser(sql: Sql, userId: number): Promise<string> {
  const [row] = await sql<{ timezone: string }[]>`select timezone from users where id = ${userId}`;
  return row!.timezone;
}
