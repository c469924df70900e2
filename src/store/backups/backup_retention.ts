/** Reads and locks backups for retention decisions, and sets the holds that keep them. */
import type { RetainedBackup } from "../../domain/retention.ts";
import type { Sql } from "../database/sql.ts";

export interface RetainedBackupRow extends RetainedBackup {
  readonly size: number;
  readonly file_name: string;
}

/** Returns a task's backups that are not marked for removal, in no particular order. */
export async function storedBackups(sql: Sql, taskId: number): Promise<RetainedBackupRow[]> {
  return await sql<RetainedBackupRow[]>`${retained(sql)} where ${isStored(sql, taskId)}`;
}

/** Takes a lock, so that only one transaction at a time decides which of the task's backups to keep. */
export async function lockRetention(sql: Sql, taskId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('retention', ${taskId}))`;
}

/**
 * Returns a task's backups that are not marked for removal, and locks them: until the transaction ends, no
 * other transaction can hold, mark or change them.
 */
export async function lockStoredBackups(sql: Sql, taskId: number): Promise<RetainedBackupRow[]> {
  return await sql<RetainedBackupRow[]>`
    ${retained(sql)} where ${isStored(sql, taskId)} order by id for update`;
}

export interface RevocableBackupRow extends RetainedBackupRow {
  readonly is_marked: boolean;
}

/**
 * Locks and returns two groups of the task's backups: those that are not marked for removal, and those that a
 * retention rule marked and whose removal has not begun. Locks the rows in the order of their ids.
 */
export async function lockRevocableBackups(sql: Sql, taskId: number): Promise<RevocableBackupRow[]> {
  return await sql<RevocableBackupRow[]>`
    ${retained(sql)} where backup_task_id = ${taskId}
      and (removal_requested_at is null or (removal_reason = 'retention' and removal_begun_at is null))
    order by id for update`;
}

function retained(sql: Sql) {
  return sql`
    select id, run_id, size, file_name, created_at, held_at is not null as held, damaged_at is not null as damaged,
      suspicious_at is not null as suspicious, missing <> '[]' or unreadable_count > 0 as incomplete, removal_requested_at is not null as is_marked
    from backups`;
}

function isStored(sql: Sql, taskId: number) {
  return sql`backup_task_id = ${taskId} and removal_requested_at is null`;
}

/**
 * Holds a backup. The backup must not be marked for removal. If the backup is already held, the time of the
 * first hold stays, and a release of the hold is undone. A `reason` of null keeps the reason of the earlier
 * hold.
 */
export async function setHold(sql: Sql, id: number, reason: string | null, now: Date): Promise<void> {
  await sql`
    update backups set held_at = coalesce(held_at, ${now}), hold_ends_at = null, hold_reason = coalesce(${reason}, hold_reason)
    where id = ${id}`;
}

/** Sets when a hold ends. A hold whose end is already set keeps that end. */
export async function releaseHold(sql: Sql, id: number, endsAt: Date): Promise<void> {
  await sql`
    update backups set hold_ends_at = coalesce(hold_ends_at, ${endsAt}) where id = ${id} and held_at is not null`;
}

export async function clearSuspicion(sql: Sql, id: number): Promise<void> {
  await sql`update backups set suspicious_at = null, suspicion = null where id = ${id}`;
}
