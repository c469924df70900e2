/**
 * Reads what the plan of a week needs: the schedules of a workspace's tasks, and the expected duration of the
 * tasks' runs.
 */
import type { Schedule } from "../../domain/schedules/schedule.ts";
import type { Sql } from "../database/sql.ts";
import type { BackupTaskRow } from "./backup_tasks.ts";

export type PlannedTaskRow =
  & Pick<BackupTaskRow, "id" | "label" | "type" | "remote_server_id" | "paused_at" | "created_at">
  & Schedule
  & {
    server_label: string;
    /** Maximum number of backup runs that the task's server works on at the same time. */
    runs_at_once: number;
    /** Median duration of the runs that made the task's newest backups; null if the task has no backup. */
    expected_duration_ms: number | null;
  };

/** How many backups the expected duration is computed from. */
const BACKUPS = 10;

/** Reads all tasks of a workspace, ordered by server and label. */
export function plannedTasks(sql: Sql, workspaceId: number): Promise<PlannedTaskRow[]> {
  return sql<PlannedTaskRow[]>`
    select t.id, t.label, t.type, t.remote_server_id, t.paused_at, t.created_at, t.frequency, t.time_to_run_at,
      t.weekday, t.custom_cron_expression, t.timezone, s.label as server_label, s.runs_at_once,
      (
        select (percentile_cont(0.5) within group (order by duration_ms))::bigint from (
          select duration_ms from backups where backup_task_id = t.id
          order by created_at desc, id desc limit ${BACKUPS}
        ) recent
      ) as expected_duration_ms
    from backup_tasks t join remote_servers s on s.id = t.remote_server_id
    where t.workspace_id = ${workspaceId}
    order by lower(s.label), s.id, lower(t.label), t.id`;
}
