/** The metrics that are read from the database. To add a metric, add an entry to the list in this file. */
import type { Sql } from "../database/sql.ts";
import { REPLICA_TIMEOUT } from "./replicas.ts";

/**
 * One value of a metric: a number, or a time. A time is shown as the number of seconds since then. If the
 * time is null, 0 is shown.
 */
export type MetricRow = { readonly value: number } | { readonly since: Date | null };

export interface DatabaseMetric {
  /** Name without the prefix `rearguard_`. */
  readonly name: string;
  readonly help: string;
  /** Columns of a row that label its value. */
  readonly labels: readonly string[];
  /** Whether the query reads every task. Such queries are repeated less often. */
  readonly readsTasks?: true;
  /** @param lease How long a lease lasts, in milliseconds. */
  query(sql: Sql, now: Date, lease: number): PromiseLike<readonly (MetricRow & Record<string, unknown>)[]>;
}

export const DATABASE_METRICS: readonly DatabaseMetric[] = [
  {
    name: "runs",
    help: "Runs by kind and state.",
    labels: ["kind", "state"],
    query: (sql) =>
      sql`select kind, state, count(*) as value from runs group by kind, state order by kind, state`,
  },
  {
    name: "remote_servers",
    help: "Remote servers.",
    labels: [],
    query: (sql) => sql`select count(*) as value from remote_servers`,
  },
  {
    name: "connected_agents",
    help: "Number of connected agents.",
    labels: [],
    query: (sql, now) =>
      sql`
        select count(*) as value from remote_servers s join replicas r on r.id = s.connection_replica_id
        where s.connection_id is not null and r.heartbeat_at >= ${new Date(now.getTime() - REPLICA_TIMEOUT)}`,
  },
  {
    name: "queue_age_seconds",
    help: "Waiting time of the oldest queued run.",
    labels: [],
    query: (sql) => sql`select min(created_at) as since from runs where state = 'queued'`,
  },
  {
    name: "lease_age_seconds",
    help: "Time since the last message about a running run, for the run with the oldest one.",
    labels: [],
    // Each message extends the lease, so the lease's end says when the last message came.
    query: (sql, _now, lease) =>
      sql`
        select min(lease_expires_at) - make_interval(secs => ${lease / 1000}) as since
        from runs where state = 'running'`,
  },
  {
    name: "notification_deliveries",
    help: "Messages to notification streams by state.",
    labels: ["state"],
    query: (sql) =>
      sql`select state, count(*) as value from notification_deliveries group by state order by state`,
  },
  {
    name: "backup_task_last_success_age_seconds",
    help:
      "Time since a backup task that is not paused last stored a backup; if it never did, since it was created.",
    labels: ["backup_task_id"],
    readsTasks: true,
    // For each task, Postgres reads only the newest entry of an index.
    query: (sql) =>
      sql`
        select t.id as backup_task_id, coalesce(r.finished_at, t.created_at) as since
        from backup_tasks t left join lateral (
          select finished_at from runs
          where backup_task_id = t.id and kind = 'backup' and state = 'succeeded' order by id desc limit 1
        ) r on true
        where t.paused_at is null order by t.id`,
  },
];
