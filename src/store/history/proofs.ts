/** Reads the verifications and drills of tasks. */
import type { RunState } from "../../domain/run.ts";
import type { Fragment, Sql } from "../database/sql.ts";

/** A task with the times of its last proofs, which stay when backups and runs are deleted. */
export interface ProvenTask {
  readonly id: number;
  readonly label: string;
  /** The last drill that restored a backup; null if none did. */
  readonly last_proven_at: Date | null;
  /** How long the restore of that drill took, in milliseconds. */
  readonly restore_duration_ms: number | null;
  /** The last verification that came to a result, whichever; null if there was none. */
  readonly last_checked_at: Date | null;
}

/** A verification or drill that has ended. */
export interface CheckRow {
  readonly id: number;
  readonly kind: "verify" | "drill";
  readonly backup_task_id: number;
  /** Null if the backup is deleted. */
  readonly backup_id: number | null;
  readonly backup_created_at: Date | null;
  readonly started_at: Date | null;
  readonly finished_at: Date;
  readonly state: RunState;
  readonly reason: string | null;
  /** The agent's verdict; null if the run ended without one. */
  readonly verdict: unknown;
}

export function listProvenTasks(
  sql: Sql,
  workspaceId: number,
  taskId: number | undefined,
): Promise<ProvenTask[]> {
  return sql<ProvenTask[]>`
    select id, label, last_proven_at, restore_duration_ms, last_checked_at from backup_tasks
    where workspace_id = ${workspaceId} and ${
    taskId === undefined ? sql`true` : sql`id = ${taskId}`
  } order by id`;
}

/** Returns the last verifications and drills of a task, at most `limit`, the oldest first. */
export function lastChecksOf(sql: Sql, taskId: number, limit: number): Promise<CheckRow[]> {
  const listed = sql`
    select * from runs where backup_task_id = ${taskId} and ${
    isEndedCheck(sql)
  } order by id desc limit ${limit}`;
  return checks(sql, listed);
}

/** Returns the last verification and the last drill of each task of a workspace. */
export function lastChecksOfWorkspace(sql: Sql, workspaceId: number): Promise<CheckRow[]> {
  const listed = sql`
    select last.* from backup_tasks t cross join (values ('verify'), ('drill')) kinds (kind)
    cross join lateral (
      select * from runs where backup_task_id = t.id and kind = kinds.kind and ${isEndedCheck(sql)}
      order by id desc limit 1
    ) last
    where t.workspace_id = ${workspaceId}`;
  return checks(sql, listed);
}

/** Returns an SQL condition. Its text must match the index `runs_checks`. */
const isEndedCheck = (sql: Sql) => sql`runs.kind in ('verify', 'drill') and finished_at is not null`;

function checks(sql: Sql, listed: Fragment): Promise<CheckRow[]> {
  return sql<CheckRow[]>`
    select r.id, r.kind, r.backup_task_id, r.backup_id, b.created_at as backup_created_at, r.started_at, r.finished_at,
      r.state, r.reason, a.verdict
    from (${listed}) r
    left join backups b on b.id = r.backup_id
    left join run_attempts a on a.run_id = r.id and a.attempt = r.attempt and a.verdict_applied
    order by r.id`;
}
