/**
 * Reads the records of backups that successful runs stored. backup_records.ts writes and removes these
 * records.
 */
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
  workspace_id: number;
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
  /** The encrypted password if `encryption` is `password`; null for other encryptions. */
  encryption_password_encrypted: string | null;
  /**
   * Public keys for which the backup is encrypted, if `encryption` is `recipients`; empty for other
   * encryptions.
   */
  encryption_recipients: string[];
  bytes_read: number;
  files_count: number | null;
  warnings_count: number;
  duration_ms: number;
  incompressible_share: number | null;
  /** Findings of the guards when the backup was made. */
  findings: Finding[];
  /**
   * When the backup was marked as suspicious; null if there were no critical findings, or if a person has
   * cleared the mark.
   */
  suspicious_at: Date | null;
  suspicion: string | null;
  /** What could not be stored, such as databases, and why; empty if the backup is complete. */
  missing: { name: string; reason: string }[];
  /** Number of files that could not be read. */
  unreadable_count: number;
  created_at: Date;
  verified_at: Date | null;
  proven_at: Date | null;
  /**
   * Duration of the restore in the backup's last successful drill, in milliseconds; null if no drill has
   * succeeded.
   */
  drill_duration_ms: number | null;
  /** The source as described in the manifest; null for backups of older agents. */
  source: ({ type: string } & Record<string, unknown>) | null;
  removal_requested_at: Date | null;
  /** Why the backup is removed. `forget` means that only the record is deleted, and the objects stay. */
  removal_reason: "retention" | "request" | "forget" | null;
  /** When a backup in the trash will be deleted; null for a backup that is not in the trash. */
  deletes_at: Date | null;
  removal_attempts: number;
  removal_error: string | null;
  next_removal_at: Date | null;
  /** When the removal began; null if nothing was removed. From this time on, objects may be missing. */
  removal_begun_at: Date | null;
  held_at: Date | null;
  hold_reason: string | null;
  /** When the hold ends; null until a person releases the hold. */
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

/**
 * A backup with its objects, and with the labels of its task, server and destination. The objects are in the
 * order in which they were written, so the archives come first.
 */
export interface BackupDetailRow extends BackupRow {
  objects: BackupObjectColumn[];
  backup_task_label: string | null;
  remote_server_label: string | null;
  backup_destination_label: string;
  /** Size of the task's backup before this one, in bytes; null if there is none. */
  previous_size: number | null;
}

function detailColumns(sql: Sql) {
  return sql`(
    select coalesce(json_agg(json_build_object(
      'role', role, 'name', name, 'size', size, 'sha256', sha256, 'database_name', database_name
    ) order by ordinal), '[]') from backup_objects where backup_id = b.id
  ) as objects,
  (select label from backup_tasks where id = b.backup_task_id) as backup_task_label,
  (select label from remote_servers where id = b.remote_server_id) as remote_server_label,
  (select label from backup_destinations where id = b.backup_destination_id) as backup_destination_label,
  (select p.size from backups p
    where p.backup_task_id = b.backup_task_id and (p.created_at, p.id) < (b.created_at, b.id)
    order by p.created_at desc, p.id desc limit 1) as previous_size`;
}

/** Filter of a listing of a workspace's backups. A field that is null or absent does not filter. */
export interface BackupFilter {
  readonly taskId: number | null;
  readonly status: BackupStatus | "held" | "suspicious" | "unverified" | "trash" | null;
  readonly remote_server_id?: number;
  readonly backup_destination_id?: number;
  readonly tag_id?: number;
  readonly since?: Date;
  readonly until?: Date;
  /** Text to find in the file name or in the task's label. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at", size: "size" };

/**
 * Returns an SQL condition: the backup's removal reason is not `forget`. Backups with this reason are listed
 * only in the trash.
 */
function isShown(sql: Sql) {
  return sql`removal_reason is distinct from 'forget'`;
}

/**
 * Returns an SQL condition for the status filter of a listing. The filter is a status that the domain's
 * `backupStatus` returns, or `held`, `suspicious`, `unverified` or `trash`. Null means that no status was
 * chosen.
 */
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
    case "suspicious":
      return sql`and suspicious_at is not null and ${isShown(sql)}`;
    case "unverified":
      return sql`and verified_at is null and removal_requested_at is null`;
  }
}

export async function listBackups(
  sql: Sql,
  workspaceId: number,
  filter: BackupFilter & ListOrder,
  offset: number,
  limit: number,
): Promise<Page<BackupDetailRow>> {
  const where = sql`${backupCondition(sql, workspaceId, filter)} ${statusCondition(sql, filter.status)}`;
  const order = orderBy(sql, filter.sort, SORTS);
  const rows = await sql<BackupDetailRow[]>`
    select b.*, ${detailColumns(sql)}
    from (select * from backups where ${where} ${order} limit ${limit} offset ${offset}) b ${order}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from backups where ${where}`;
  return { rows, total: count!.total };
}

function backupCondition(sql: Sql, workspaceId: number, filter: BackupFilter) {
  const { taskId, remote_server_id, backup_destination_id, tag_id, search } = filter;
  return allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    taskId === null ? null : sql`backup_task_id = ${taskId}`,
    ...equalTo(sql, { remote_server_id, backup_destination_id }),
    tag_id === undefined
      ? null
      : sql`backup_task_id in (select backup_task_id from backup_task_tags where tag_id = ${tag_id})`,
    ...createdWithin(sql, filter),
    search === undefined ? null : sql`(${containsText(sql, ["file_name"], search)} or backup_task_id in (
      select id from backup_tasks where workspace_id = ${workspaceId} and ${
      containsText(sql, ["label"], search)
    }))`,
  ]);
}

export async function findBackupDetail(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupDetailRow | undefined> {
  const [row] = await sql<BackupDetailRow[]>`
    select b.*, ${detailColumns(sql)} from backups b
    where b.id = ${id} and b.workspace_id = ${workspaceId} and ${isShown(sql)}`;
  return row;
}

/** Returns a backup of any workspace, so that an agent can read the backup. */
export async function findBackupToRead(sql: Sql, id: number): Promise<BackupDetailRow | undefined> {
  const [row] = await sql<BackupDetailRow[]>`
    select b.*, ${detailColumns(sql)} from backups b where b.id = ${id} and ${isShown(sql)}`;
  return row;
}

/**
 * Returns the backups with these ids, of any workspace, in the order of the ids. The `objects` of a backup
 * contain only its index.
 */
export async function indexedBackups(
  sql: Sql,
  ids: readonly number[],
): Promise<BackupDetailRow[]> {
  const rows = await sql<BackupDetailRow[]>`
    select b.*, ${detailColumns(sql)} from backups b
    where b.id = any(${[...ids]}::bigint[]) and ${isShown(sql)}`;
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = found.get(id);
    if (row === undefined) return [];
    return {
      ...row,
      objects: row.objects.filter(({ role, database_name }) => role === "index" && database_name === null),
    };
  });
}

/** Returns the ids of a task's backups, the newest first. */
export async function backupIdsOfTask(sql: Sql, workspaceId: number, taskId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from backups where backup_task_id = ${taskId} and workspace_id = ${workspaceId} and ${
    isShown(sql)
  }
    order by created_at desc, id desc`;
  return rows.map(({ id }) => id);
}

/** Returns the ids of a workspace's newest backups, the newest first, and the number of all its backups. */
export async function newestBackupIds(
  sql: Sql,
  workspaceId: number,
  limit: number,
): Promise<{ ids: number[]; total: number }> {
  const own = sql`workspace_id = ${workspaceId} and ${isShown(sql)}`;
  const rows = await sql<{ id: number }[]>`
    select id from backups where ${own} order by created_at desc, id desc limit ${limit}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from backups where ${own}`;
  return { ids: rows.map(({ id }) => id), total: count!.total };
}

/**
 * Locks a backup of the workspace until the transaction ends, and returns it. Does not find a backup whose
 * removal reason is `forget`.
 */
export async function lockBackup(sql: Sql, workspaceId: number, id: number): Promise<BackupRow | undefined> {
  const [row] = await sql<BackupRow[]>`
    select * from backups where id = ${id} and workspace_id = ${workspaceId} and ${isShown(sql)} for update`;
  return row;
}

/**
 * Locks a backup of the workspace until the transaction ends, and returns it. Unlike {@link lockBackup}, also
 * finds a backup whose removal reason is `forget`.
 */
export async function lockTrashedBackup(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<BackupRow | undefined> {
  const [row] = await sql<BackupRow[]>`
    select * from backups where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

/** The columns that say where a backup is stored. */
export type BackupLocation = Pick<
  BackupRow,
  "id" | "user_id" | "backup_destination_id" | "directory" | "remote_server_id"
>;

/**
 * Returns the location of the backup that a run reads. Returns undefined if the run reads no backup, or if
 * the backup has no object `name`.
 */
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
