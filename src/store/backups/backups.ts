/** Reads backups that successful runs stored. backup_records.ts writes and removes them. */
import type { BackupStatus } from "../../domain/backup_status.ts";
import type { Finding } from "../../domain/guards/finding.ts";
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

export interface BackupRow {
  id: number;
  user_id: number;
  backup_task_id: number | null;
  run_id: number | null;
  backup_destination_id: number;
  remote_server_id: number | null;
  directory: string;
  file_name: string;
  size: number;
  sha256: string;
  engine: string;
  encrypted: boolean;
  encryption: "none" | "password" | "recipients";
  /** Set if `encryption` is `password`. */
  encryption_password_encrypted: string | null;
  /** Public keys; empty unless `encryption` is `recipients`. */
  encryption_recipients: string[];
  bytes_read: number;
  files_count: number | null;
  warnings_count: number;
  duration_ms: number;
  incompressible_share: number | null;
  /** The findings of guards when it was made. */
  findings: Finding[];
  /** Set while it has critical findings that no person has cleared. */
  suspicious_at: Date | null;
  suspicion: string | null;
  /** Names that had to be left out; empty if the backup is complete. */
  missing: { name: string; reason: string }[];
  created_at: Date;
  verified_at: Date | null;
  proven_at: Date | null;
  /** The duration of the restore in its last drill. */
  drill_duration_ms: number | null;
  /** As in the manifest; null for backups of older agents. */
  source: ({ type: string } & Record<string, unknown>) | null;
  removal_requested_at: Date | null;
  /** `forget`: only the record is deleted; the objects stay. */
  removal_reason: "retention" | "request" | "forget" | null;
  /** When it will be deleted; null unless it is in the trash. */
  deletes_at: Date | null;
  removal_attempts: number;
  removal_error: string | null;
  next_removal_at: Date | null;
  /** The start of a removal that may have deleted objects; null: nothing is missing. */
  removal_begun_at: Date | null;
  held_at: Date | null;
  hold_reason: string | null;
  /** Set when a person releases the hold, which lasts until then. */
  hold_ends_at: Date | null;
  damaged_at: Date | null;
  damage_reason: string | null;
}

export interface BackupObjectColumn {
  role: "archive" | "index" | "manifest";
  name: string;
  size: number;
  sha256: string;
  database_name: string | null;
}

/** A backup with its objects, archives first, in the order of writing. */
export interface BackupDetailRow extends BackupRow {
  objects: BackupObjectColumn[];
}

function objectsColumn(sql: Sql) {
  return sql`(
    select coalesce(json_agg(json_build_object(
      'role', role, 'name', name, 'size', size, 'sha256', sha256, 'database_name', database_name
    ) order by ordinal), '[]') from backup_objects where backup_id = b.id
  ) as objects`;
}

/** Filters a listing of backups; all of the user's if `taskId` is null. */
export interface BackupFilter {
  readonly taskId: number | null;
  readonly status: BackupStatus | "held" | "trash" | null;
  readonly remote_server_id?: number;
  readonly backup_destination_id?: number;
  readonly tag_id?: number;
  readonly since?: Date;
  readonly until?: Date;
  /** Matches text in the file name, or in the label of the task. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at", size: "size" };

/** Hides backups that are to be forgotten: only the trash shows them. */
function isShown(sql: Sql) {
  return sql`removal_reason is distinct from 'forget'`;
}

/** Conditions for the domain's `backupStatus`, for held backups and for the trash. */
function statusCondition(sql: Sql, status: BackupFilter["status"]) {
  switch (status) {
    case null:
      return sql`and ${isShown(sql)}`;
    case "trash":
      return sql`and deletes_at is not null and removal_begun_at is null`;
    case "stored":
      return sql`and removal_requested_at is null and damaged_at is null`;
    case "deleting":
      return sql`and removal_requested_at is not null and ${isShown(sql)}`;
    case "damaged":
      return sql`and removal_requested_at is null and damaged_at is not null`;
    case "held":
      return sql`and held_at is not null`;
  }
}

export async function listBackups(
  sql: Sql,
  userId: number,
  filter: BackupFilter & ListOrder,
  offset: number,
  limit: number,
): Promise<Page<BackupDetailRow>> {
  const where = sql`${backupCondition(sql, userId, filter)} ${statusCondition(sql, filter.status)}`;
  const order = orderBy(sql, filter.sort, SORTS);
  const rows = await sql<BackupDetailRow[]>`
    select b.*, ${objectsColumn(sql)}
    from (select * from backups where ${where} ${order} limit ${limit} offset ${offset}) b ${order}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from backups where ${where}`;
  return { rows, total: count!.total };
}

function backupCondition(sql: Sql, userId: number, filter: BackupFilter) {
  const { taskId, remote_server_id, backup_destination_id, tag_id, search } = filter;
  return allOf(sql, [
    sql`user_id = ${userId}`,
    taskId === null ? null : sql`backup_task_id = ${taskId}`,
    ...equalTo(sql, { remote_server_id, backup_destination_id }),
    tag_id === undefined
      ? null
      : sql`backup_task_id in (select backup_task_id from backup_task_tags where tag_id = ${tag_id})`,
    ...createdWithin(sql, filter),
    search === undefined ? null : sql`(${containsText(sql, ["file_name"], search)} or backup_task_id in (
      select id from backup_tasks where user_id = ${userId} and ${containsText(sql, ["label"], search)}))`,
  ]);
}

export async function findBackupDetail(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupDetailRow | undefined> {
  const [row] = await sql<BackupDetailRow[]>`
    select b.*, ${objectsColumn(sql)} from backups b
    where b.id = ${id} and b.user_id = ${userId} and ${isShown(sql)}`;
  return row;
}

/** Locks a backup of the user until the transaction ends. */
export async function lockBackup(sql: Sql, userId: number, id: number): Promise<BackupRow | undefined> {
  const [row] = await sql<BackupRow[]>`
    select * from backups where id = ${id} and user_id = ${userId} and ${isShown(sql)} for update`;
  return row;
}

/** Finds and locks a backup, even if it is to be forgotten. */
export async function lockTrashedBackup(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupRow | undefined> {
  const [row] = await sql<BackupRow[]>`
    select * from backups where id = ${id} and user_id = ${userId} for update`;
  return row;
}

/** The location of a backup that a run reads. */
export type BackupLocation = Pick<
  BackupRow,
  "id" | "user_id" | "backup_destination_id" | "directory" | "remote_server_id"
>;

/** Returns the location of an object in the backup that a run reads. */
export async function findObjectOfRun(
  sql: Sql,
  runId: number,
  name: string,
): Promise<BackupLocation | undefined> {
  const [row] = await sql<BackupLocation[]>`
    select b.id, b.user_id, b.backup_destination_id, b.directory, b.remote_server_id
    from runs r join backups b on b.id = r.backup_id join backup_objects o on o.backup_id = b.id
    where r.id = ${runId} and o.name = ${name}`;
  return row;
}
