/**
 * Multipart uploads that agents opened. A row is inserted before its upload is created, and stays until the
 * deletion of the upload is confirmed.
 */
import type { RunState } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";

export interface UploadRow {
  id: string;
  run_id: number;
  attempt: number;
  backup_destination_id: number;
  object_key: string;
  /**
   * The id that the bucket gave the upload. Empty until the bucket has returned the id. Until then,
   * `object_key` identifies the upload.
   */
  s3_upload_id: string;
  part_size: number;
  state: "open" | "completed" | "removed";
  /** Size of the object in bytes; null until the upload is completed. */
  size: number | null;
  created_at: Date;
  updated_at: Date;
}

/** The columns of a run that are needed to open its uploads. */
export interface UploadRun {
  remote_server_id: number | null;
  backup_destination_id: number | null;
  state: RunState;
  attempt: number;
  object_directory: string | null;
  /** Prefix of the names of the run's objects; null until the run is dispatched. */
  object_prefix: string | null;
  object_stamp: string | null;
  /** How many bytes the task's previous backup run wrote; null if that run succeeded or there was none. */
  failed_bytes_written: number | null;
  /**
   * Upload rate of the task's previous backup run, in bytes per second. Null if that run wrote 5 MB or less,
   * or if there was none.
   */
  last_bytes_per_second: number | null;
}

/** Returns a run, and locks its state until the transaction ends. */
export async function lockUploadRun(sql: Sql, runId: number): Promise<UploadRun | null> {
  const [row] = await sql<UploadRun[]>`
    select remote_server_id, backup_destination_id, state, attempt, object_directory, object_prefix, object_stamp, (
      select case when before.state <> 'succeeded' then before.bytes_written end
      from runs before
      where before.backup_task_id = runs.backup_task_id and before.kind = 'backup' and before.id < runs.id
      order by before.id desc limit 1
    ) as failed_bytes_written, (
      select case when before.bytes_written > 5000000 then
        before.bytes_written / greatest(extract(epoch from before.finished_at - before.started_at), 1)::float8
      end
      from runs before
      where before.backup_task_id = runs.backup_task_id and before.kind = 'backup' and before.id < runs.id
      order by before.id desc limit 1
    ) as last_bytes_per_second
    from runs where id = ${runId} for share of runs`;
  return row ?? null;
}

export async function insertUpload(
  sql: Sql,
  upload: Pick<UploadRow, "run_id" | "attempt" | "backup_destination_id" | "object_key" | "part_size">,
  now: Date,
): Promise<UploadRow> {
  const id = crypto.randomUUID();
  const values = { ...upload, id, s3_upload_id: "", state: "open", created_at: now, updated_at: now };
  const [row] = await sql<UploadRow[]>`insert into uploads ${sql(values)} returning *`;
  return row!;
}

/** Stores the bucket's upload id. Returns false if the upload was removed meanwhile. */
export async function storeUploadId(sql: Sql, id: string, s3UploadId: string, now: Date): Promise<boolean> {
  const { count } = await sql`
    update uploads set s3_upload_id = ${s3UploadId}, updated_at = ${now} where id = ${id} and state = 'open'`;
  return count === 1;
}

export async function findUpload(sql: Sql, id: string): Promise<UploadRow | null> {
  const [row] = await sql<UploadRow[]>`select * from uploads where id = ${id}`;
  return row ?? null;
}

/**
 * Marks an upload as completed. Returns true even if the upload was already completed. Returns false if the
 * upload was removed meanwhile.
 */
export async function markUploadCompleted(sql: Sql, id: string, size: number, now: Date): Promise<boolean> {
  const { count } = await sql`
    update uploads set state = 'completed', size = ${size}, updated_at = ${now}
    where id = ${id} and state <> 'removed'`;
  return count === 1;
}

export async function markUploadRemoved(sql: Sql, id: string, now: Date): Promise<void> {
  await sql`update uploads set state = 'removed', updated_at = ${now} where id = ${id}`;
}

/** Returns the sizes of an attempt's completed uploads, by object key. */
export async function completedUploads(
  sql: Sql,
  runId: number,
  attempt: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ object_key: string; size: number }[]>`
    select object_key, size from uploads where run_id = ${runId} and attempt = ${attempt} and state = 'completed'`;
  return new Map(rows.map(({ object_key, size }) => [object_key, size]));
}

/** Returns whether a later run or attempt has an upload with the same key. */
export async function hasLaterUpload(sql: Sql, upload: UploadRow): Promise<boolean> {
  const [row] = await sql`
    select 1 from uploads
    where backup_destination_id = ${upload.backup_destination_id} and object_key = ${upload.object_key}
      and (run_id, attempt) > (${upload.run_id}, ${upload.attempt}) and state <> 'removed'
    limit 1`;
  return row !== undefined;
}
