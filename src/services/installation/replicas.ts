/** Records the start, heartbeats and stop of this replica for the other replicas. */
import { transaction } from "../../store/database/database.ts";
import {
  anyReplicaAlive,
  deadReplicas,
  insertReplica,
  removeReplicas,
  type Replica,
  touchReplica,
} from "../../store/installation/replicas.ts";
import { extendDeadlines } from "../../store/runs/runs.ts";
import { RELEASE } from "../../domain/release.ts";
import type { ServiceContext } from "../context.ts";

/**
 * Adds this replica. If no other replica is running, gives all active runs a new lease and grace period:
 * agents could not report during the outage, and their runs would otherwise become lost.
 */
export async function registerReplica(services: ServiceContext, id: string): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    if (!(await anyReplicaAlive(sql, now))) {
      await removeReplicas(sql, await deadReplicas(sql, now));
      await extendDeadlines(sql, new Date(now.getTime() + runTimes.lease + runTimes.grace));
    }
    await insertReplica(sql, replicaOf(services, id), now);
  });
}

/** Records that this replica is alive and which secret keys it holds. Deletes dead replicas. */
export async function heartbeatReplica(services: ServiceContext, id: string): Promise<void> {
  await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const replica = replicaOf(services, id);
    if (!(await touchReplica(sql, id, replica.keyIds, now))) await insertReplica(sql, replica, now);
    const dead = await deadReplicas(sql, now);
    if (dead.length > 0) await removeReplicas(sql, dead);
  });
}

export async function unregisterReplica(services: ServiceContext, id: string): Promise<void> {
  await transaction(services.database, (sql) => removeReplicas(sql, [id]));
}

function replicaOf({ keyring, replica }: ServiceContext, id: string): Replica {
  return { id, name: replica?.name ?? null, version: RELEASE, keyIds: keyring.keyIds };
}
