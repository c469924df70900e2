/** Counts the records of workspaces. */
import { runsOf } from "../runs/run_counts.ts";
import type { Sql } from "../database/sql.ts";

/** How many records of each type a workspace has. */
export interface RecordCounts {
  backup_tasks: number;
  /** Number of tasks that are not paused. */
  active_backup_tasks: number;
  logs: number;
  /** Number of runs created since midnight in the user's time zone. */
  logs_today: number;
  remote_servers: number;
  backup_destinations: number;
  backups: number;
  tags: number;
  notification_streams: number;
}

/**
 * Counts the records of a workspace.
 *
 * @param today The beginning of the current day in the user's time zone.
 */
export async function countRecords(sql: Sql, workspaceId: number, today: Date): Promise<RecordCounts> {
  const of = sql`workspace_id = ${workspaceId}`;
  const [row] = await sql<RecordCounts[]>`
    select
      (select count(*) from backup_tasks where ${of}) as backup_tasks,
      (select count(*) from backup_tasks where ${of} and paused_at is null) as active_backup_tasks,
      ${runsOf(sql, workspaceId)} as logs,
      (select count(*) from runs where ${of} and created_at >= ${today}) as logs_today,
      (select count(*) from remote_servers where ${of}) as remote_servers,
      (select count(*) from backup_destinations where ${of} and deletes_at is null) as backup_destinations,
      (select count(*) from backups where ${of}) as backups,
      (select count(*) from tags where ${of}) as tags,
      (select count(*) from notification_streams where ${of}) as notification_streams`;
  return row!;
}
