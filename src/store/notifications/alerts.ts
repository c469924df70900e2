/** Stores alerts: lasting problems, with one open row for each kind and subject. */
import type { AlertKind } from "../../domain/notifications/alert.ts";
import type { Sql } from "../database/sql.ts";

export interface AlertRow {
  id: number;
  user_id: number;
  workspace_id: number;
  kind: AlertKind;
  subject: string;
  backup_task_id: number | null;
  remote_server_id: number | null;
  reason: string | null;
  occurrences: number;
  opened_at: Date;
  last_occurred_at: Date;
  told_at: Date | null;
  closed_at: Date | null;
}

export type NewAlert = Pick<
  AlertRow,
  "user_id" | "workspace_id" | "kind" | "subject" | "backup_task_id" | "remote_server_id" | "reason"
>;

/**
 * Opens an alert. If an alert of this kind and subject is already open, updates that alert instead. The
 * update also counts another occurrence if `isAgain` is true. Returns the alert.
 */
export async function recordOccurrence(
  sql: Sql,
  alert: NewAlert,
  { at, isAgain }: { at: Date; isAgain: boolean },
): Promise<AlertRow> {
  const [row] = await sql<AlertRow[]>`
    insert into alerts ${sql({ ...alert, opened_at: at, last_occurred_at: at })}
    on conflict (kind, subject) where closed_at is null do update
      set occurrences = alerts.occurrences + ${
    isAgain ? 1 : 0
  }::int, last_occurred_at = ${at}, reason = excluded.reason
    returning *`;
  return row!;
}

/** Records that these streams get a message about an alert. */
export async function markAlertReported(
  sql: Sql,
  id: number,
  streamIds: readonly number[],
  at: Date,
): Promise<void> {
  await sql`update alerts set told_at = ${at} where id = ${id}`;
  await sql`
    insert into alert_reports (alert_id, notification_stream_id, told_at)
    select ${id}, stream, ${at}::timestamptz from unnest(${[...streamIds]}::bigint[]) stream
    on conflict (alert_id, notification_stream_id) do update set told_at = excluded.told_at`;
}

/**
 * Closes the open alerts of this kind and these subjects, and returns the closed ones. Leaves an alert open
 * if its problem comes and goes. A problem comes and goes if all of these conditions hold:
 * - The alert was reported.
 * - The problem occurred within the last `steadyMs`.
 * - There is an earlier alert of the same kind and subject. Its last report was less than `repeatMs` older
 *   than the opening of this alert.
 */
export async function closeAlerts(
  sql: Sql,
  kind: AlertKind,
  subjects: readonly string[],
  { at, repeatMs, steadyMs }: { at: Date; repeatMs: number; steadyMs: number },
): Promise<AlertRow[]> {
  return await sql<AlertRow[]>`
    update alerts a set closed_at = ${at}
    where kind = ${kind} and subject = any(${[...subjects]}) and closed_at is null and not (
      told_at is not null and last_occurred_at > ${new Date(at.getTime() - steadyMs)} and exists (
        select from alerts p where p.kind = a.kind and p.subject = a.subject and p.id < a.id
          and p.told_at > a.opened_at - ${repeatMs} * interval '1 millisecond'
      )
    )
    returning *`;
}

/** Returns the subjects of the open alerts of this kind whose subjects begin with `prefix`. */
export async function listOpenSubjects(sql: Sql, kind: AlertKind, prefix: string): Promise<string[]> {
  const rows = await sql<{ subject: string }[]>`
    select subject from alerts where kind = ${kind} and starts_with(subject, ${prefix}) and closed_at is null`;
  return rows.map(({ subject }) => subject);
}

export async function deleteAlertsClosedBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from alerts where closed_at < ${before}`;
}
