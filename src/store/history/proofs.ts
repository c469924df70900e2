/** Reads the verifications and drills of tasks. */
import type { RunState } from "../../domain/run.ts";
import type { Fragment, Sql } from "../database/sql.ts";
import { drillDueAt } from "../tasks/due_drills.ts";

/**
 * A task with the times of its last verification and drill. These times stay when backups and runs are
 * deleted.
 */
export interface ProvenTask {
  readonly id: number;
  readonly label: string;
  /** When a drill last restored a backup; null if no drill has. */
  readonly last_proven_at: Date | null;
  /** How long the restore took in the drill of `last_proven_at`, in milliseconds. */
  readonly restore_duration_ms: number | null;
  /** When a verification last came to a result, good or bad; null if none ever did. */
  readonly last_checked_at: Date | null;
  readonly paused_at: Date | null;
  /** Days after which the newest backup is drilled; 0 for never. */
  readonly drill_every: number;
  /** When the next drill is due if nothing prevents it. */
  readonly drill_due_at: Date;
  /** Days after which each backup is verified; 0 for never. */
  readonly verify_every: number;
  /** When the next verification is due if nothing prevents it; null without a backup. */
  readonly verification_due_at: Date | null;
  readonly damaged_count: number;
  /** Null if there is no backup that can be read. */
  readonly newest: { readonly id: number; readonly engine: string; readonly encryption: string } | null;
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

/** Returns the tasks of a workspace, or those of them with the given ids. */
export function listProvenTasks(
  sql: Sql,
  workspaceId: number,
  ids: readonly number[] | undefined,
): Promise<ProvenTask[]> {
  const chosen = ids === undefined ? sql`true` : sql`t.id = any(${[...ids]}::bigint[])`;
  return sql<ProvenTask[]>`
    select t.id, t.label, t.last_proven_at, t.restore_duration_ms, t.last_checked_at, t.paused_at, t.drill_every,
      t.verify_every,
      greatest(${drillDueAt(sql)}, t.drill_queued_at + interval '1 day') as drill_due_at,
      case when newest.id is not null then
        least(held.unchecked_since, coalesce(t.last_checked_at, t.created_at)) + make_interval(days => t.verify_every)
      end as verification_due_at,
      coalesce(held.damaged_count, 0) as damaged_count,
      case when newest.id is not null then
        json_build_object('id', newest.id, 'engine', newest.engine, 'encryption', newest.encryption)
      end as newest
    from backup_tasks t
    left join (
      select backup_task_id, count(damaged_at)::int as damaged_count,
        min(coalesce(checked_at, created_at)) as unchecked_since
      from backups where workspace_id = ${workspaceId} and removal_requested_at is null group by backup_task_id
    ) held on held.backup_task_id = t.id
    left join lateral (
      select id, engine, encryption from backups where backup_task_id = t.id and removal_requested_at is null
      order by created_at desc, id desc limit 1
    ) newest on true
    where t.workspace_id = ${workspaceId} and ${chosen} order by t.id`;
}

/** Returns the last verifications and drills of each task, at most `limit` of a task, the oldest first. */
export function lastChecksOf(sql: Sql, taskIds: readonly number[], limit: number): Promise<CheckRow[]> {
  const listed = sql`
    select last.* from unnest(${[...taskIds]}::bigint[]) t (id) cross join lateral (
      select * from runs where backup_task_id = t.id and ${isEndedCheck(sql)} order by id desc limit ${limit}
    ) last`;
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
