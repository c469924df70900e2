/** Finds the streams whose summary is due, and reads the numbers of a summary's period. */
import type { QuietHours } from "../../domain/notifications/quiet_hours.ts";
import type { SummarySchedule } from "../../domain/notifications/summary.ts";
import type { Outcome } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";
import { outcomeOfRuns } from "../tasks/task_outcome.ts";

export interface SummarizedStream extends SummarySchedule, QuietHours {
  id: number;
  workspace_id: number;
  summary_due_at: Date;
  /** The time zone of the stream's user. */
  user_timezone: string;
}

/** Returns at most `limit` streams whose summary is due. */
export function dueSummaries(
  sql: Sql,
  now: Date,
  limit: number,
): Promise<{ id: number; workspace_id: number }[]> {
  return sql<{ id: number; workspace_id: number }[]>`
    select id, workspace_id from notification_streams where summary_due_at <= ${now}
    order by summary_due_at, id limit ${limit}`;
}

/**
 * Locks a stream if its summary is due. Returns undefined if no summary is due, or if another replica has
 * locked the stream.
 */
export async function lockDueSummary(
  sql: Sql,
  id: number,
  now: Date,
): Promise<SummarizedStream | undefined> {
  const [row] = await sql<SummarizedStream[]>`
    select n.*, u.timezone as user_timezone
    from notification_streams n join users u on u.id = n.user_id
    where n.id = ${id} and n.summary_due_at <= ${now} for no key update of n skip locked`;
  return row;
}

export async function setSummaryDue(sql: Sql, id: number, at: Date | null): Promise<void> {
  await sql`update notification_streams set summary_due_at = ${at} where id = ${id}`;
}

export interface PeriodNumbers {
  /** The number of backup runs that ended in the period, by outcome. */
  runs: Record<Outcome, number>;
  /** The number of backups that were stored in the period, and their size in bytes. */
  backups: { count: number; size: number };
}

export async function readPeriod(sql: Sql, workspaceId: number, since: Date): Promise<PeriodNumbers> {
  const rows = await sql<{ outcome: Outcome | null; count: number }[]>`
    select ${outcomeOfRuns(sql)} as outcome, count(*)::int as count from runs r
    where r.workspace_id = ${workspaceId} and r.kind = 'backup' and r.finished_at >= ${since} group by 1`;
  const count = (outcome: Outcome) => rows.find((row) => row.outcome === outcome)?.count ?? 0;
  const [backups] = await sql<PeriodNumbers["backups"][]>`
    select count(*)::int as count, coalesce(sum(size), 0)::bigint as size from backups
    where workspace_id = ${workspaceId} and created_at >= ${since}`;
  return {
    runs: { succeeded: count("succeeded"), warnings: count("warnings"), failed: count("failed") },
    backups: backups!,
  };
}
