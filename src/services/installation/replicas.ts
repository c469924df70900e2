/** A control plane's coming, staying and going, as the others see it. */
import { transaction } from "../../store/database/database.ts";
import {
  anyReplicaAlive,
  deadReplicas,
  insertReplica,
  removeReplicas,
  touchReplica,
} from "../../store/installation/replicas.ts";
import { extendDeadlines } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";

/**
 * Enters this process. Where no other control plane was up, agents could not report: their runs get the whole
 * lease and grace from now, so that our own downtime makes no run lost.
 */
export async function registerReplica(services: ServiceContext, id: string): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    if (!(await anyReplicaAlive(sql, now))) {
      await removeReplicas(sql, await deadReplicas(sql, now));
      await extendDeadlines(sql, new Date(now.getTime() + runTimes.lease + runTimes.grace));
    }
    await insertReplica(sql, id, services.keyring.keyIds, now);
  });
}

/**
 * Tells that this process is alive and which secret keys it holds, and clears away those that no longer are.
 */
export async function heartbeatReplica(services: ServiceContext, id: string): Promise<void> {
  await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const { keyIds } = services.keyring;
    if (!(await touchReplica(sql, id, keyIds, now))) await insertReplica(sql, id, keyIds, now);
    const dead = await deadReplicas(sql, now);
    if (dead.length > 0) await removeReplicas(sql, dead);
  });
}

export async function unregisterReplica(services: ServiceContext, id: string): Promise<void> {
  await transaction(services.database, (sql) => removeReplicas(sql, [id]));
}
