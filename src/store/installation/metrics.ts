/** Reads metrics of the whole installation, for its operator. */
import type { Sql } from "../database/sql.ts";
import { REPLICA_TIMEOUT } from "./replicas.ts";

export interface MetricsRow {
  /** Number of runs in the database by kind and state, including finished runs. */
  runs: { kind: string; state: string; count: number }[];
  remote_servers: number;
  /** Number of servers whose agent is connected to a live replica. */
  connected_agents: number;
  /** When the oldest queued run was created; null if no run is queued. */
  oldest_queued_at: Date | null;
  /** When the first lease expires; null if no run is running. */
  oldest_lease: Date | null;
  deliveries: { state: string; count: number }[];
}

export async function readMetrics(sql: Sql, now: Date): Promise<MetricsRow> {
  const alive = new Date(now.getTime() - REPLICA_TIMEOUT);
  const runs = await sql<MetricsRow["runs"]>`
    select kind, state, count(*) as count from runs group by kind, state order by kind, state`;
  const deliveries = await sql<MetricsRow["deliveries"]>`
    select state, count(*) as count from notification_deliveries group by state order by state`;
  const [counts] = await sql<Omit<MetricsRow, "runs" | "deliveries">[]>`
    select
      (select count(*) from remote_servers) as remote_servers,
      (
        select count(*) from remote_servers s join replicas r on r.id = s.connection_replica_id
        where s.connection_id is not null and r.heartbeat_at >= ${alive}
      ) as connected_agents,
      (select min(created_at) from runs where state = 'queued') as oldest_queued_at,
      (select min(lease_expires_at) from runs where state = 'running') as oldest_lease`;
  return { runs: [...runs], deliveries: [...deliveries], ...counts! };
}

/**
 * Returns, for each task that is not paused, when it last succeeded; if it never did, when it was created.
 * Reads only the newest entry of an index for each task.
 */
export function readTaskSuccesses(sql: Sql): Promise<{ backup_task_id: number; since: Date }[]> {
  return sql<{ backup_task_id: number; since: Date }[]>`
    select t.id as backup_task_id, coalesce(r.finished_at, t.created_at) as since
    from backup_tasks t left join lateral (
      select finished_at from runs
      where backup_task_id = t.id and kind = 'backup' and state = 'succeeded' order by id desc limit 1
    ) r on true
    where t.paused_at is null order by t.id`;
}
