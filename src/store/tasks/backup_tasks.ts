/** Stores backup tasks: what to back up, where to, and when. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
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
import { outcome, outcomeColumns, type TaskOutcome } from "./task_outcome.ts";

/** A backup task: the fields that users set, and what the control plane records about it. */
export type BackupTaskRow = Columns<TaskFields> & {
  id: number;
  user_id: number;
  workspace_id: number;
  drill_queued_at: Date | null;
  /** When the last successful drill of one of the task's backups began; null if there was none. */
  last_proven_at: Date | null;
  restore_duration_ms: number | null;
  /** When the task was last changed to another source; null if never. */
  source_changed_at: Date | null;
  paused_at: Date | null;
  /** When a user last made a change that might let retention rules remove more backups; null if never. */
  retention_changed_at: Date | null;
  next_run_at: Date | null;
  /**
   * When the maximum age of the newest backup began to apply. This is the latest of these times: the task's
   * creation, its last resumption, the last change of its schedule, and the last change of its source.
   */
  promised_at: Date;
  /**
   * Time at which the task becomes late if no backup is stored before; null if the task never becomes late.
   */
  late_at: Date | null;
  created_at: Date;
  updated_at: Date;
};

/** A backup task with related records and counts, for listings. */
export type BackupTaskDetailRow = BackupTaskRow & Relations<TaskFields> & TaskOutcome & {
  /** Whether one of the task's backup runs is not in a final state. */
  is_running: boolean;
  /** When the task's newest started backup run started; null if no backup run has started. */
  last_run_at: Date | null;
  /** How many due times of the last 30 days were skipped because a run of the task was still active. */
  skipped_count: number;
  last_skipped_at: Date | null;
  /** Whether other systems can start runs of the task with a token. */
  has_trigger_token: boolean;
  /** When the token was last used, to the minute; null if it was never used or there is no token. */
  trigger_token_last_used_at: Date | null;
  tags: { id: number; label: string; colour: string | null }[];
  remote_server: { id: number; label: string };
  backup_destination: { id: number; label: string };
  /** The task's backups that are neither in the trash nor being deleted. `size` is in stored bytes. */
  backups: { count: number; size: number };
};

export type NewBackupTask = Columns<TaskFields> & Pick<BackupTaskRow, "next_run_at">;
export type BackupTaskChanges = Partial<
  Omit<BackupTaskRow, "id" | "user_id" | "workspace_id" | "created_at" | "updated_at">
>;

export async function insertBackupTask(
  sql: Sql,
  owner: Owner,
  task: NewBackupTask,
  now: Date,
): Promise<number> {
  const values = {
    ...task,
    ...ownerColumns(owner),
    planned_at: now,
    promised_at: now,
    created_at: now,
    updated_at: now,
  };
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

/** Records the time of a change that might make retention rules remove different backups. */
export async function recordRetentionChange(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update backup_tasks set retention_changed_at = ${now} where id = ${id}`;
}

/** Returns a task, whichever workspace it belongs to. */
export async function findBackupTask(sql: Sql, id: number): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`select * from backup_tasks where id = ${id}`;
  return row;
}

/** Returns all tasks of the servers. */
export function listTasksOfServers(sql: Sql, serverIds: readonly number[]): Promise<BackupTaskRow[]> {
  return sql<BackupTaskRow[]>`
    select * from backup_tasks where remote_server_id = any(${[...serverIds]}::bigint[]) order by id`;
}

/** Locks a task of the workspace against changes until the transaction ends. Returns the task. */
export async function lockBackupTask(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`
    select * from backup_tasks where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

export async function findBackupTaskOf(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupTaskRow | undefined> {
  const [row] = await sql<BackupTaskRow[]>`
    select * from backup_tasks where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

/**
 * Returns SQL for additional columns of tasks `t` in a listing. The listing's query must join the SQL of
 * {@link outcome}. The database finds each value with a separate index.
 */
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
    exists (select from task_triggers where backup_task_id = t.id) as has_trigger_token,
    (select last_used_at from task_triggers where backup_task_id = t.id) as trigger_token_last_used_at,
    ${relatedIds(sql, TASK_FIELDS, "backup_task_id")},
    ${outcomeColumns(sql)},
    (
      select coalesce(json_agg(json_build_object('id', id, 'label', label, 'colour', colour) order by id), '[]')
      from backup_task_tags join tags on id = tag_id where backup_task_id = t.id
    ) as tags,
    (
      select json_build_object('id', id, 'label', label) from remote_servers where id = t.remote_server_id
    ) as remote_server,
    (
      select json_build_object('id', id, 'label', label) from backup_destinations
      where id = t.backup_destination_id
    ) as backup_destination,
    (
      select json_build_object('count', count(*), 'size', coalesce(sum(size), 0)) from backups
      where backup_task_id = t.id and removal_requested_at is null
    ) as backups`;
}

export async function findBackupTaskDetail(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupTaskDetailRow | undefined> {
  const [row] = await sql<BackupTaskDetailRow[]>`
    select t.*, ${detailColumns(sql)} from backup_tasks t ${
    outcome(sql)
  } where t.id = ${id} and t.workspace_id = ${workspaceId}`;
  return row;
}

/** Filter of a listing of tasks. A field that is absent does not filter. */
export interface BackupTaskFilter {
  readonly status?: "ready" | "running" | "paused";
  readonly type?: BackupTaskRow["type"];
  readonly remote_server_id?: number;
  readonly backup_destination_id?: number;
  readonly tag_id?: number;
  readonly since?: Date;
  readonly until?: Date;
  /** Text to find in the label or the description. */
  readonly search?: string;
  /** Lists only the tasks with these ids. If `sort` is `protection`, the list has the order of these ids. */
  readonly ids?: readonly number[];
}

const SORTS = {
  created_at: "created_at",
  label: "label",
  next_run_at: "next_run_at",
  updated_at: "updated_at",
};

/**
 * Returns a page of the workspace's tasks and their total number. Needs a second query only if the page is
 * empty.
 */
export async function listBackupTasks(
  sql: Sql,
  workspaceId: number,
  offset: number,
  limit: number,
  { sort, ...filter }: BackupTaskFilter & ListOrder = {},
): Promise<Page<BackupTaskDetailRow>> {
  const where = taskCondition(sql, workspaceId, filter);
  const isRanked = sort?.replace(/^-/, "") === "protection";
  const order = (table: string) =>
    isRanked
      ? sql`order by array_position(${[...filter.ids ?? []]}::bigint[], ${sql(table)}.id)`
      : orderBy(sql, sort, SORTS);
  const rows = await sql<(BackupTaskDetailRow & { total: number })[]>`
    select t.*, ${detailColumns(sql)},
      (select count(*) from backup_tasks where ${where}) as total
    from (
      select * from backup_tasks where ${where} ${order("backup_tasks")} limit ${limit} offset ${offset}
    ) t ${outcome(sql)} ${order("t")}`;
  return { rows, total: rows[0]?.total ?? await countBackupTasks(sql, workspaceId, filter) };
}

async function countBackupTasks(
  sql: Sql,
  workspaceId: number,
  filter: BackupTaskFilter = {},
): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    select count(*) as total from backup_tasks where ${taskCondition(sql, workspaceId, filter)}`;
  return row!.total;
}

function taskCondition(sql: Sql, workspaceId: number, filter: BackupTaskFilter) {
  const { status, type, remote_server_id, backup_destination_id, tag_id, search, ids } = filter;
  const isRunning = sql`id in (
    select backup_task_id from runs where kind = 'backup' and backup_task_id is not null
      and state in ('queued', 'leased', 'running', 'cancelling'))`;
  return allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    status === "paused" ? sql`paused_at is not null` : null,
    status === "running" ? isRunning : status === "ready" ? sql`not ${isRunning}` : null,
    ...equalTo(sql, { type, remote_server_id, backup_destination_id }),
    tag_id === undefined
      ? null
      : sql`id in (select backup_task_id from backup_task_tags where tag_id = ${tag_id})`,
    ...createdWithin(sql, filter),
    search === undefined ? null : containsText(sql, ["label", "description"], search),
    ids === undefined ? null : sql`id = any(${[...ids]}::bigint[])`,
  ]);
}

/** Returns a page of the workspace's tasks that are not paused and have a next run, the soonest first. */
export async function listUpcomingBackupTasks(
  sql: Sql,
  workspaceId: number,
  offset: number,
  limit: number,
): Promise<Page<BackupTaskRow>> {
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from backup_tasks
    where workspace_id = ${workspaceId} and paused_at is null and next_run_at is not null`;
  const rows = await sql<BackupTaskRow[]>`
    select * from backup_tasks where workspace_id = ${workspaceId} and paused_at is null and next_run_at is not null
    order by next_run_at, id limit ${limit} offset ${offset}`;
  return { rows, total: count!.total };
}

/** Returns whether the task has a backup run that is not in a final state. */
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
