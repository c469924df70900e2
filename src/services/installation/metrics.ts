/** Metrics of the whole installation. */
import type { Clock } from "../../domain/clock.ts";
import { readMetrics, readTaskSuccesses } from "../../store/installation/metrics.ts";
import type { ServiceContext } from "../context.ts";

export interface InstallationMetrics {
  /** By kind and state. */
  runs: { kind: string; state: string; count: number }[];
  remoteServers: number;
  connectedAgents: number;
  /** Seconds for which the oldest queued run has waited; 0 if there is none. */
  queueAge: number;
  /** Seconds since the last message about the running run with the oldest lease; 0 if none runs. */
  leaseAge: number;
  /** By state. */
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
 * Returns, for each task that is not paused, the time of its last backup, or of its creation if there is
 * none.
 */
export function collectTaskSuccesses(
  services: ServiceContext,
): Promise<{ backup_task_id: number; since: Date }[]> {
  return readTaskSuccesses(services.database);
}
