/** Figures over everything, for whoever watches this installation. */
import { readStatistics } from "../store/statistics.ts";
import type { Services } from "./context.ts";

export interface Statistics {
  /** By kind and state. */
  runs: { kind: string; state: string; count: number }[];
  remoteServers: number;
  connectedAgents: number;
  /** Seconds that the longest waiting run has waited; 0 when none waits. */
  queueAge: number;
}

export async function collectStatistics(services: Services): Promise<Statistics> {
  const now = services.clock.now();
  const row = await readStatistics(services.database, now);
  return {
    runs: row.runs,
    remoteServers: row.remote_servers,
    connectedAgents: row.connected_agents,
    queueAge: row.oldest_queued_at === null ? 0 : (now.getTime() - row.oldest_queued_at.getTime()) / 1000,
  };
}
