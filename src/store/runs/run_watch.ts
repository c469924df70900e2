/** Finds runs and agents that have been in one state for too long, so that their owners are notified. */
import type { NotificationStreamRow } from "../notifications/notification_streams.ts";
import { RESTORE_PATIENCE } from "../../domain/run.ts";
import type { Sql } from "../database/sql.ts";
import type { RunRow } from "./runs.ts";

/** A task's time limits in seconds; null means the control plane's default. */
export interface TaskWatch {
  stall_warning: number | null;
  stall_timeout: number | null;
}

export async function findTaskWatch(sql: Sql, taskId: number): Promise<TaskWatch | undefined> {
  const [row] = await sql<TaskWatch[]>`
    select stall_warning, stall_timeout from backup_tasks where id = ${taskId}`;
  return row;
}

/**
 * Returns SQL for a time limit, as an interval. `column` contains the limit in seconds. If `column` is null,
 * the limit is `otherwise`, in milliseconds.
 */
const limit = (sql: Sql, column: ReturnType<Sql>, otherwise: number) =>
  sql`make_interval(secs => coalesce(${column}, ${otherwise / 1000}::double precision))`;

/**
 * Locks and returns running runs that have made no progress for at least the warning limit. Skips runs whose
 * agent is disconnected. `is_over` says whether a run has made no progress for at least its stall timeout
 * plus the length of a lease. `warning`, `timeout` and `lease` are in milliseconds.
 */
export function lockStalledRuns(
  sql: Sql,
  now: Date,
  warning: number,
  timeout: number,
  lease: number,
): Promise<(RunRow & { is_over: boolean })[]> {
  const restoreTimeout = Math.round(timeout * RESTORE_PATIENCE / 1000);
  return sql<(RunRow & { is_over: boolean })[]>`
    select r.*, r.moved_at <= ${now}::timestamptz - ${
    limit(
      sql,
      sql`coalesce(t.stall_timeout, case when r.kind = 'restore' then ${restoreTimeout}::int end)`,
      timeout,
    )
  }
        - ${lease / 1000}::double precision * interval '1 second' as is_over
    from runs r left join backup_tasks t on t.id = r.backup_task_id
    where r.state = 'running' and r.lease_expires_at > ${now}
      and r.moved_at <= ${now}::timestamptz - ${limit(sql, sql`t.stall_warning`, warning)}
    order by r.id limit 500 for update of r skip locked`;
}

/**
 * Returns an SQL condition: run `r` is a queued backup, its server is intermittent, and the server's agent is
 * disconnected. False for a restore, because a restore should not wait until the server is back. A restore
 * that late might replace newer data.
 */
const isServerAsleep = (sql: Sql) =>
  sql`(r.state = 'queued' and r.kind = 'backup' and exists (
    select from remote_servers s
    where s.id = r.remote_server_id and s.class = 'intermittent' and s.connection_id is null
  ))`;

/** Returns those of `runIds` that are backup runs and are queued for a server that is asleep. */
export async function runsOfSleepingServers(sql: Sql, runIds: readonly number[]): Promise<Set<number>> {
  const rows = await sql<{ id: number }[]>`
    select r.id from runs r where r.id = any(${[...runIds]}::bigint[]) and ${isServerAsleep(sql)}`;
  return new Set(rows.map(({ id }) => id));
}

/** Returns the subjects of open alerts about runs that are no longer stalled. */
export function stalledAlertsToClose(sql: Sql, now: Date, warning: number): Promise<{ subject: string }[]> {
  return sql<{ subject: string }[]>`
    select a.subject from alerts a
    where a.kind = 'run.stalled' and a.closed_at is null and not exists (
      select from runs r left join backup_tasks t on t.id = r.backup_task_id
      where r.state = 'running' and a.subject = 'run ' || r.id
        and (r.lease_expires_at <= ${now}
          or r.moved_at <= ${now}::timestamptz - ${limit(sql, sql`t.stall_warning`, warning)})
    ) limit 500`;
}

/**
 * Locks and returns backup and restore runs that have waited too long for an agent to start them. Skips runs
 * with an open `backup.overdue` alert that last occurred less than an hour ago. Also skips runs of servers
 * that are asleep.
 */
export function lockOverdueQueuedRuns(sql: Sql, now: Date, overdue: number): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select r.* from runs r left join backup_tasks t on t.id = r.backup_task_id
    where r.state in ('queued', 'leased') and r.kind in ('backup', 'restore')
      and r.created_at <= ${now}::timestamptz - ${limit(sql, sql`t.overdue_after`, overdue)}
      and not ${isServerAsleep(sql)}
      and not exists (
        select from alerts a where a.kind = 'backup.overdue' and a.closed_at is null and a.subject = 'run ' || r.id
          and a.last_occurred_at > ${now}::timestamptz - interval '1 hour'
      )
    order by r.id limit 500 for update of r skip locked`;
}

/**
 * Returns slow backup runs. A run is slow if it has run for at least `least` milliseconds, and for at least
 * `factor` times the usual duration. The usual duration is the median of the task's last ten backups. Skips
 * runs of tasks with fewer than three backups. Skips runs whose slowness has an open alert.
 */
export function slowRuns(
  sql: Sql,
  now: Date,
  { factor, least }: { factor: number; least: number },
): Promise<(RunRow & { usual_ms: number })[]> {
  return sql<(RunRow & { usual_ms: number })[]>`
    select r.*, usual.ms as usual_ms from runs r
    join lateral (
      select percentile_cont(0.5) within group (order by duration_ms) as ms, count(*) as backups
      from (
        select duration_ms from backups where backup_task_id = r.backup_task_id
        order by created_at desc limit 10
      ) last
    ) usual on usual.backups >= 3
    where r.state = 'running' and r.kind = 'backup'
      and r.started_at <= ${now}::timestamptz - ${least / 1000}::double precision * interval '1 second'
      and r.started_at <= ${now}::timestamptz - usual.ms * ${factor}::double precision * interval '1 millisecond'
      and not exists (
        select from alerts a where a.kind = 'run.slow' and a.closed_at is null and a.subject = 'run ' || r.id
      )
    order by r.id limit 500`;
}

export interface OwnedServer {
  id: number;
  user_id: number;
  workspace_id: number;
}

/**
 * Returns servers whose agent has been disconnected for too long. Skips a server if its alert is open and the
 * alert last occurred less than an hour ago. Skips an intermittent server unless it has a time limit of its
 * own, `offline_alert_after`.
 */
export function serversGone(
  sql: Sql,
  now: Date,
  offline: number,
): Promise<(OwnedServer & { last_connected_at: Date; away_after: number })[]> {
  return sql`
    select s.id, s.user_id, s.workspace_id, s.last_connected_at,
      coalesce(s.offline_alert_after * 1000.0, ${offline}::double precision)::double precision as away_after
    from remote_servers s
    where s.connection_id is null and s.agent_key_hash is not null and s.offline_alert_after is distinct from 0
      and (s.class = 'always_on' or s.offline_alert_after is not null)
      and s.last_connected_at <= ${now}::timestamptz - ${limit(sql, sql`s.offline_alert_after`, offline)}
      and not exists (
        select from alerts a where a.kind = 'agent.gone' and a.closed_at is null
          and a.subject = 'server ' || s.id and a.last_occurred_at > ${now}::timestamptz - interval '1 hour'
      )
    order by s.id limit 500`;
}

/**
 * Returns servers whose agent is connected again, but whose alert about the agent's absence is still open.
 */
export function serversBack(sql: Sql): Promise<OwnedServer[]> {
  return sql`
    select s.id, s.user_id, s.workspace_id from alerts a join remote_servers s on a.subject = 'server ' || s.id
    where a.kind = 'agent.gone' and a.closed_at is null and s.connection_id is not null
    order by s.id limit 500`;
}

/**
 * Returns the servers whose agent is connected and has another version than `release`, each with the agent's
 * version.
 */
export function agentsOfOtherVersions(
  sql: Sql,
  release: string,
): Promise<(OwnedServer & { version: string })[]> {
  return sql`
    select id, user_id, workspace_id, agent_description->>'version' as version from remote_servers
    where connection_id is not null and agent_description->>'version' <> ${release} order by id limit 10000`;
}

export interface FailingRemovals {
  destination_id: number;
  user_id: number;
  workspace_id: number;
  label: string;
  count: number;
  error: string;
}

/** Returns destinations with failed removals that were requested at `before` or earlier. */
export function failingRemovals(sql: Sql, before: Date): Promise<FailingRemovals[]> {
  return sql<FailingRemovals[]>`
    select d.id as destination_id, d.user_id, d.workspace_id, d.label, count(*)::int as count, max(error) as error
    from (
      select backup_destination_id, removal_error as error from backups
      where removal_error is not null and greatest(removal_requested_at, deletes_at) <= ${before}
      union all
      select backup_destination_id, error from leftovers where error is not null and created_at <= ${before}
    ) failing join backup_destinations d on d.id = failing.backup_destination_id
    group by d.id order by d.id limit 500`;
}

/** Returns streams that have been failing since `before` or earlier. */
export function failingStreams(
  sql: Sql,
  before: Date,
): Promise<
  (Pick<NotificationStreamRow, "id" | "user_id" | "workspace_id" | "label"> & { error: string | null })[]
> {
  return sql`
    select n.id, n.user_id, n.workspace_id, n.label, n.last_delivery_error as error from notification_streams n
    where n.failing_since <= ${before} order by n.id limit 500`;
}

/**
 * Returns the subjects of all open alerts of this kind. With `before`, returns only the subjects of alerts
 * that have not occurred since that time.
 */
export async function openSubjects(sql: Sql, kind: string, before: Date | null = null): Promise<string[]> {
  const rows = await sql<{ subject: string }[]>`
    select subject from alerts
    where kind = ${kind} and closed_at is null and last_occurred_at < coalesce(${before}, 'infinity'::timestamptz)`;
  return rows.map(({ subject }) => subject);
}
