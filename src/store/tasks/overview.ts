/** Reads the numbers of a workspace's overview. */
import type { Sql } from "../database/sql.ts";
import { REPLICA_TIMEOUT } from "../installation/replicas.ts";

export interface OverviewNumbers {
  running_count: number;
  queued_count: number;
  /** Number of tasks that are due within a day. */
  due_count: number;
  servers_connected: number;
  /** Number of servers that are always on and whose agent has connected before, but is not connected now. */
  servers_disconnected: number;
  /** Number of intermittent servers whose agent is not connected now. */
  servers_asleep: number;
  /** Number of servers whose agent has never connected. */
  servers_unknown: number;
  backups_count: number;
  /** Total size of the backups, in stored bytes. */
  backups_size: number;
}

/** The last successful drill of a workspace's tasks. */
export interface LastProven {
  backup_task_id: number;
  label: string;
  proven_at: Date;
  restore_duration_ms: number | null;
}

export async function readOverview(sql: Sql, workspaceId: number, now: Date): Promise<OverviewNumbers> {
  const alive = new Date(now.getTime() - REPLICA_TIMEOUT);
  const tomorrow = new Date(now.getTime() + 24 * 3_600_000);
  const [row] = await sql<OverviewNumbers[]>`
    select runs.*, tasks.*, servers.*, stored.* from (
      select count(*) filter (where state in ('running', 'cancelling')) as running_count,
        count(*) filter (where state in ('queued', 'leased')) as queued_count
      from runs where workspace_id = ${workspaceId} and (state = 'queued' or state in ('leased', 'running', 'cancelling'))
    ) runs, (
      select count(*) as due_count from backup_tasks
      where workspace_id = ${workspaceId} and paused_at is null and next_run_at <= ${tomorrow}
    ) tasks, (
      select count(*) filter (where is_connected) as servers_connected,
        count(*) filter (where not is_connected and is_known and class = 'always_on') as servers_disconnected,
        count(*) filter (where not is_connected and is_known and class = 'intermittent') as servers_asleep,
        count(*) filter (where not is_known) as servers_unknown
      from (
        select s.class, s.last_connected_at is not null as is_known,
          s.connection_id is not null and coalesce(r.heartbeat_at >= ${alive}, false) as is_connected
        from remote_servers s left join replicas r on r.id = s.connection_replica_id
        where s.workspace_id = ${workspaceId}
      ) each
    ) servers, (
      select count(*) as backups_count, coalesce(sum(size), 0)::bigint as backups_size from backups
      where workspace_id = ${workspaceId} and removal_requested_at is null
    ) stored`;
  return row!;
}

export async function lastProven(sql: Sql, workspaceId: number): Promise<LastProven | null> {
  const [row] = await sql<LastProven[]>`
    select id as backup_task_id, label, last_proven_at as proven_at, restore_duration_ms from backup_tasks
    where workspace_id = ${workspaceId} and last_proven_at is not null order by last_proven_at desc limit 1`;
  return row ?? null;
}
