/** Figures over everything, for whoever watches this installation. */
import type { Sql } from "./database.ts";
import { REPLICA_TIMEOUT } from "./replicas.ts";

export interface StatisticsRow {
  /** Runs that are there now, terminal ones included. */
  runs: { kind: string; state: string; count: number }[];
  remote_servers: number;
  /** With their agent's socket up. */
  connected_agents: number;
  /** When the run that waits longest was made; null when none waits. */
  oldest_queued_at: Date | null;
}

export async function readStatistics(sql: Sql, now: Date): Promise<StatisticsRow> {
  const alive = new Date(now.getTime() - REPLICA_TIMEOUT);
  const runs = await sql<StatisticsRow["runs"]>`
    select kind, state, count(*) as count from runs group by kind, state order by kind, state`;
  const [figures] = await sql<Omit<StatisticsRow, "runs">[]>`
    select
      (select count(*) from remote_servers) as remote_servers,
      (
        select count(*) from remote_servers s join replicas r on r.id = s.connection_replica_id
        where s.connection_id is not null and r.heartbeat_at >= ${alive}
      ) as connected_agents,
      (select min(created_at) from runs where state = 'queued') as oldest_queued_at`;
  return { runs: [...runs], ...figures! };
}
