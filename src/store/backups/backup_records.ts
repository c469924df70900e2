/**
 * Writes backups to the database, from the first insert to the removal. backups.ts reads them for the API.
 */
import { describeSuspicion, type Finding } from "../../domain/guards/finding.ts";
import type { Sql } from "../database/sql.ts";

export interface NewBackup {
  user_id: number;
  workspace_id: number;
  backup_task_id: number | null;
  /** The run that stored the backup; null for an imported backup. */
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
  source: object | null;
  incompressible_share: number | null;
  findings: readonly Finding[];
  missing: readonly { name: string; reason: string }[];
  /** Number of files that could not be read. */
  unreadable_count: number;
  created_at: Date;
}

export interface NewBackupObject {
  role: "archive" | "index" | "manifest";
  name: string;
  size: number;
  sha256: string;
  database: string | null;
}

/**
 * Inserts a backup with its objects, and returns its id. A backup with a critical finding is marked as
 * suspicious.
 */
export async function insertBackup(
  sql: Sql,
  backup: NewBackup,
  objects: readonly NewBackupObject[],
): Promise<number> {
  const suspicion = describeSuspicion(backup.findings);
  const [row] = await sql<{ id: number }[]>`
    insert into backups ${
    sql({
      ...backup,
      source: backup.source && sql.json(backup.source as never),
      findings: sql.json(backup.findings as never),
      suspicion,
      suspicious_at: suspicion === null ? null : backup.created_at,
      missing: sql.json(backup.missing as never),
    })
  }
    returning id`;
  const rows = objects.map(({ database, ...object }, ordinal) => ({
    ...object,
    backup_id: row!.id,
    ordinal,
    database_name: database,
  }));
  await sql`insert into backup_objects ${sql(rows)}`;
  return row!.id;
}

/**
 * Marks backups for immediate removal. The backups must not be held. A backup that is already marked keeps
 * its times, but the reason `request` replaces its earlier reason.
 */
export async function markForRemoval(
  sql: Sql,
  ids: readonly number[],
  reason: "retention" | "request",
  now: Date,
): Promise<void> {
  await sql`
    update backups set removal_requested_at = ${now}, removal_reason = ${reason}, next_removal_at = ${now}
    where id = any(${[...ids]}::bigint[]) and removal_requested_at is null`;
  if (reason === "retention") return;
  await sql`update backups set removal_reason = ${reason} where id = any(${[...ids]}::bigint[])`;
}

/** Cancels the removal of backups from which nothing has been removed yet. */
export async function unmarkRemoval(sql: Sql, ids: readonly number[]): Promise<void> {
  await sql`
    update backups set removal_requested_at = null, removal_reason = null, next_removal_at = null,
      deletes_at = null, removal_attempts = 0, removal_error = null
    where id = any(${[...ids]}::bigint[]) and removal_begun_at is null`;
}

/**
 * Cancels removals that were meant to delete only the records of backups, not their objects. If some objects
 * of a backup are already removed, its removal continues, and removes its other objects too.
 */
export async function restoreForgotten(sql: Sql, ids: readonly number[]): Promise<void> {
  await unmarkRemoval(sql, ids);
  await sql`
    update backups set removal_reason = 'request'
    where id = any(${[...ids]}::bigint[]) and removal_reason = 'forget'`;
}

export interface RemovalRow {
  id: number;
  backup_destination_id: number;
  remote_server_id: number | null;
  directory: string;
  names: string[];
  removal_attempts: number;
  /** Whether only the record is deleted, and the objects stay. */
  is_forgotten: boolean;
  /** Whether nothing of the backup had been removed before this claim. */
  is_whole: boolean;
}

/** Returns an SQL condition: no unfinished run reads the backup. */
function unused(sql: Sql) {
  return sql`not exists (select from runs where backup_id = backups.id and finished_at is null)`;
}

function isDue(sql: Sql, now: Date) {
  return sql`removal_requested_at is not null and next_removal_at <= ${now}
    and (deletes_at is null or deletes_at <= ${now}) and ${unused(sql)}`;
}

/**
 * Returns an SQL condition that is true for backups whose removal can still be cancelled. These are the
 * backups that a retention rule marked, of which nothing has been removed, and whose task still exists. The
 * retention rules are applied to such a backup again, and might then keep it.
 */
function isRevocable(sql: Sql) {
  return sql`removal_reason = 'retention' and removal_begun_at is null and backup_task_id is not null`;
}

/**
 * Finds backups that a retention rule marked, and whose removal is due but has not begun. The retention rules
 * must be applied again to these backups. Returns the ids of the backups' tasks.
 */
export async function tasksWithRevocableMarks(sql: Sql, now: Date, limit: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select distinct backup_task_id as id from backups where ${isDue(sql, now)} and ${isRevocable(sql)}
    order by id limit ${limit}`;
  return rows.map(({ id }) => id);
}

/**
 * Leases due removals to this replica until `leaseUntil`, and returns them. From now on, objects of these
 * backups might be missing. But if only a backup's record is to be deleted, its objects stay.
 *
 * @param confirmed Ids of marked backups that the retention rules still remove. The rules were applied to
 *   them again in this transaction. A removal for which {@link isRevocable} is true is claimed only if its
 *   backup is in this list. All other due removals are claimed in any case.
 */
export function claimRemovals(
  sql: Sql,
  now: Date,
  leaseUntil: Date,
  limit: number,
  confirmed: readonly number[],
): Promise<RemovalRow[]> {
  return sql<RemovalRow[]>`
    update backups b set next_removal_at = ${leaseUntil},
      removal_begun_at = case
        when b.removal_reason = 'forget' then b.removal_begun_at else coalesce(b.removal_begun_at, ${now}) end
    from (
      select id, removal_begun_at is null as is_whole from backups where ${isDue(sql, now)}
        and (not (${isRevocable(sql)}) or id = any(${[...confirmed]}::bigint[]))
      order by next_removal_at, id limit ${limit} for update skip locked
    ) due
    where b.id = due.id
    returning b.id, b.backup_destination_id, b.remote_server_id, b.directory, b.removal_attempts, due.is_whole,
      b.removal_reason = 'forget' as is_forgotten,
      (select coalesce(array_agg(name order by ordinal), '{}') from backup_objects where backup_id = b.id) as names`;
}

/**
 * Returns the name of one object from each of the five newest backups in the directory, apart from
 * `exceptBackup`. These objects should exist. If none of them exists, the directory is not the right one, for
 * example because a disk is not mounted.
 */
export async function witnessesOf(
  sql: Sql,
  location: { destinationId: number; directory: string; serverId: number | null },
  exceptBackup: number | null,
): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select (select name from backup_objects where backup_id = b.id order by ordinal desc limit 1) as name
    from backups b
    where b.backup_destination_id = ${location.destinationId} and b.directory = ${location.directory}
      and b.remote_server_id is not distinct from coalesce(${location.serverId}::bigint, b.remote_server_id)
      and b.removal_begun_at is null and b.id is distinct from ${exceptBackup}
      and not exists (select from backup_damages d where d.backup_id = b.id)
    order by b.created_at desc, b.id desc limit 5`;
  return rows.map(({ name }) => name).filter((name) => name !== null);
}

export async function deleteBackupRecord(sql: Sql, id: number): Promise<void> {
  await sql`delete from backups where id = ${id}`;
}

/**
 * Deletes the record of a backup, but not its objects. The caller must have claimed the removal, with a lease
 * that ends at `leaseUntil`. Does nothing if the removal was cancelled or claimed again since then.
 */
export async function deleteForgottenRecord(sql: Sql, id: number, leaseUntil: Date): Promise<void> {
  await sql`
    delete from backups where id = ${id} and removal_reason = 'forget' and next_removal_at = ${leaseUntil}`;
}

/**
 * Records that a removal failed, and when to try it again. Does nothing if the removal was claimed again in
 * the meantime: whoever claimed it records the result.
 */
export async function postponeRemoval(
  sql: Sql,
  id: number,
  { error, leaseUntil, next, isWhole }: {
    error: string;
    leaseUntil: Date;
    next: Date;
    /** Whether it is certain that nothing of the backup was removed. */
    isWhole: boolean;
  },
): Promise<void> {
  await sql`
    update backups
    set removal_attempts = removal_attempts + 1, removal_error = ${error}, next_removal_at = ${next},
      removal_begun_at = case when not ${isWhole} then removal_begun_at end
    where id = ${id} and next_removal_at = ${leaseUntil}`;
}

/**
 * Makes the failed removals of a server due at once, because its agent has connected again. But if a backup
 * is still in the trash, its removal becomes due when the backup's time in the trash ends. Returns whether
 * there are failed removals.
 */
export async function hastenRemovals(sql: Sql, serverId: number, now: Date): Promise<boolean> {
  const [backups, leftovers] = await Promise.all([
    sql`
      update backups set next_removal_at = greatest(deletes_at, ${now})
      where removal_requested_at is not null and remote_server_id = ${serverId} and removal_error is not null`,
    sql`
      update leftovers set next_removal_at = ${now}
      where remote_server_id = ${serverId} and error is not null`,
  ]);
  return backups.count + leftovers.count > 0;
}

/** Returns when the next removal of a backup or a leftover is due; null if there is none. */
export async function nextRemovalAt(sql: Sql): Promise<Date | null> {
  const [row] = await sql<{ next: Date | null }[]>`
    select least(
      (select min(next_removal_at) from backups where removal_requested_at is not null and ${unused(sql)}),
      (select min(next_removal_at) from leftovers)
    ) as next`;
  return row!.next;
}

/**
 * Returns the stats of the task's newest backup; null if the task has no backup. The next run's remaining
 * time and part size are estimated from these stats.
 */
export async function lastBackupStats(
  sql: Sql,
  taskId: number,
): Promise<{ bytes_read: number; size: number } | null> {
  const [row] = await sql<{ bytes_read: number; size: number }[]>`
    select bytes_read, size from backups where backup_task_id = ${taskId}
    order by created_at desc, id desc limit 1`;
  return row ?? null;
}
