/** Figures over everything, for whoever watches this installation. */
import type { Clock } from "../../domain/clock.ts";
import { readStatistics, readTaskSuccesses } from "../../store/installation/metrics.ts";
import type { ServiceContext } from "../context.ts";

export interface InstallationMetrics {
  /** By kind and state. */
  runs: { kind: string; state: string; count: number }[];
  remoteServers: number;
  connectedAgents: number;
  /** Seconds that the longest waiting run has waited; 0 when none waits. */
  queueAge: number;
  /** Seconds since the agent of the running run that is silent longest was heard; 0 when none runs. */
  leaseAge: number;
  /** By state. */
  deliveries: { state: string; count: number }[];
}

export async function collectMetrics(services: ServiceContext): Promise<InstallationMetrics> {
  const { clock, database, runTimes } = services;
  const row = await readStatistics(database, clock.now());
  return {
    runs: row.runs,
    remoteServers: row.remote_servers,
    connectedAgents: row.connected_agents,
    queueAge: row.oldest_queued_at === null ? 0 : ageSince(clock, row.oldest_queued_at),
    leaseAge: row.oldest_lease === null
      ? 0
      : Math.max(0, ageSince(clock, row.oldest_lease) + runTimes.lease / 1000),
    deliveries: row.deliveries,
  };
}

export function ageSince(clock: Pick<Clock, "now">, time: Date): number {
  return (clock.now().getTime() - time.getTime()) / 1000;
}

/** Of each task that is not paused: when it last stored a backup, or, where it never did, was made. */
export function collectTaskSuccesses(
  services: ServiceContext,
): Promise<{ backup_task_id: number; since: Date }[]> {
  return readTaskSuccesses(services.database);
}
