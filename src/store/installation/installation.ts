/** Reads the state of the whole installation: its control planes, its queue and its database. */
import type { Sql } from "../database/sql.ts";

export interface ReplicaState {
  readonly id: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly key_ids: readonly string[];
  readonly started_at: Date;
  readonly heartbeat_at: Date;
  /** Number of agents whose websocket the control plane holds. */
  readonly agents_count: number;
  /** Number of runs that these agents work on. */
  readonly runs_count: number;
}

/** Returns every recorded control plane, in the order in which they started. */
export function listReplicas(sql: Sql): Promise<ReplicaState[]> {
  return sql<ReplicaState[]>`
    select r.id, r.name, r.version, r.key_ids, r.started_at, r.heartbeat_at,
      count(s.id)::integer as agents_count, coalesce(sum(active.runs), 0)::integer as runs_count
    from replicas r
    left join remote_servers s on s.connection_replica_id = r.id
    left join (
      select remote_server_id, count(*) as runs from runs where state in ('leased', 'running', 'cancelling') group by 1
    ) active on active.remote_server_id = s.id
    group by r.id order by r.started_at, r.id`;
}

export interface QueueState {
  readonly queued_count: number;
  readonly oldest_queued_at: Date | null;
  readonly running_count: number;
  /** Messages that wait to be sent. */
  readonly notifications_count: number;
  /** Number of backups whose removal is due, plus the number of leftovers of dead runs. */
  readonly removals_count: number;
}

export async function readQueue(sql: Sql, now: Date): Promise<QueueState> {
  const [row] = await sql<QueueState[]>`
    select queued.*, running.*, notifications.*, removals.* from (
      select count(*)::integer as queued_count, min(created_at) as oldest_queued_at from runs where state = 'queued'
    ) queued, (
      select count(*)::integer as running_count from runs where state in ('leased', 'running', 'cancelling')
    ) running, (
      select count(*)::integer as notifications_count from notification_deliveries where state = 'waiting'
    ) notifications, (
      select (
        select count(*) from backups where removal_requested_at is not null and next_removal_at <= ${now}
          and (deletes_at is null or deletes_at <= ${now})
      )::integer + (select count(*) from leftovers)::integer as removals_count
    ) removals`;
  return row!;
}

export interface DatabaseState {
  /** Version of PostgreSQL, such as `18.1`. */
  readonly server_version: string;
  readonly size_bytes: number;
  readonly migrations_count: number;
  /** Name of the newest migration. */
  readonly newest_migration: string;
  readonly migrated_at: Date;
}

export async function readDatabaseState(sql: Sql): Promise<DatabaseState> {
  const [row] = await sql<DatabaseState[]>`
    select current_setting('server_version') as server_version, pg_database_size(current_database()) as size_bytes,
      version as migrations_count, name as newest_migration, applied_at as migrated_at
    from schema_migrations order by version desc limit 1`;
  return row!;
}
