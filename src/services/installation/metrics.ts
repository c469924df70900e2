/** Collects metrics of the whole installation. */
import type { Clock } from "../../domain/clock.ts";
import { readMetrics, readTaskSuccesses } from "../../store/installation/metrics.ts";
import type { ServiceContext } from "../context.ts";

export interface InstallationMetrics {
  /** Numbers of runs by kind and state. */
  runs: { kind: string; state: string; count: number }[];
  remoteServers: number;
  connectedAgents: number;
  /** Seconds for which the oldest queued run has waited; 0 if no run is queued. */
  queueAge: number;
  /**
   * Longest time since the agent of a running run was last heard from, in seconds; 0 if no run is running.
   */
  leaseAge: number;
  /** Numbers of deliveries by state. */
  deliveries: { state: string; count: number }[];
}

export async function collectMetrics(services: ServiceContext): Promise<InstallationMetrics> {
  const { clock, database, runTimes } = services;
  const row = await readMetrics(database, clock.now());
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

/**
 * Returns the time of the last backup of each task that is not paused. A task without a backup counts from
 * its creation.
 */
export function collectTaskSuccesses(
  services: ServiceContext,
): Promise<{ backup_task_id: number; since: Date }[]> {
  return readTaskSuccesses(services.database);
}
