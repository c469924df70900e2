/** Backups: what successful runs stored. The writing side of removal is in removals.ts. */
import type { Sql } from "./database.ts";
import type { Page } from "./page.ts";

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
  encryption_password_encrypted: string | null;
  bytes_read: number;
  files_count: number | null;
  warnings_count: number;
  duration_ms: number;
  incompressible_share: number | null;
  suspicious_at: Date | null;
  suspicion: string | null;
  created_at: Date;
  verified_at: Date | null;
  proven_at: Date | null;
  removal_requested_at: Date | null;
  removal_reason: "retention" | "request" | null;
  removal_attempts: number;
  removal_error: string | null;
  next_removal_at: Date | null;
}

export interface BackupObjectColumn {
  role: "archive" | "index" | "manifest";
  name: string;
  size: number;
  sha256: string;
  database_name: string | null;
}

/** A backup with its objects, archives first as they were written. */
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

/** Of one task, or of all of the user's where `taskId` is null. */
export async function listBackups(
  sql: Sql,
  userId: number,
  taskId: number | null,
  offset: number,
  limit: number,
): Promise<Page<BackupDetailRow>> {
  const where = sql`user_id = ${userId} ${taskId === null ? sql`` : sql`and backup_task_id = ${taskId}`}`;
  const rows = await sql<BackupDetailRow[]>`
    select b.*, ${objectsColumn(sql)}
    from (select * from backups where ${where} order by id limit ${limit} offset ${offset}) b order by b.id`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from backups where ${where}`;
  return { rows, total: count!.total };
}

export async function findBackupDetail(
  sql: Sql,
  userId: number,
  id: number,
): Promise<BackupDetailRow | undefined> {
  const [row] = await sql<BackupDetailRow[]>`
    select b.*, ${objectsColumn(sql)} from backups b where b.id = ${id} and b.user_id = ${userId}`;
  return row;
}

/** What is stored of a task and not yet marked for removal. */
export async function storedBackupIds(sql: Sql, taskId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from backups where backup_task_id = ${taskId} and removal_requested_at is null order by id`;
  return rows.map((row) => row.id);
}
