/** Checks whether a server's recorded agent is still alive when a second agent connects with the same key. */
import { randomUUID } from "node:crypto";
import { findIncumbent, type Incumbent } from "../../store/agents/agent_connections.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import {
  findRemoteServer,
  lockDuplicateAgent,
  storeDuplicateAgent,
} from "../../store/agents/remote_servers.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import { enterAudit, type Origin } from "../access/audit_log.ts";
import type { Connection } from "./connections.ts";
import type { ServiceContext } from "../context.ts";
import { notifyDuplicateAgent } from "../runs/standing_watch.ts";

export type { Incumbent };

/** How long a duplicate agent is shown after it was last refused, in milliseconds. */
export const DUPLICATE_SHOWN = 24 * 3_600_000;

/** Returns the recorded connection of a server; undefined if there is none. */
export function incumbentOf(services: ServiceContext, serverId: number): Promise<Incumbent | undefined> {
  return findIncumbent(services.database, serverId);
}

/**
 * Asks another replica to ping the agent whose connection that replica holds. Returns whether the agent
 * answered. Returns false if no answer arrives within `patience` milliseconds.
 */
export async function pingOnOtherReplica(
  services: ServiceContext,
  incumbent: Incumbent,
  patience: number,
): Promise<boolean> {
  const { bus, clock, database } = services;
  const heartbeat = incumbent.replicaHeartbeatAt?.getTime() ?? -Infinity;
  if (clock.now().getTime() - heartbeat > REPLICA_TIMEOUT) return false;
  const probe = randomUUID();
  const over = new AbortController();
  const answered = new Promise<boolean>((resolve) => {
    const unsubscribe = bus.subscribe((notification) => {
      if (notification.topic === "agent_alive" && notification.probe === probe) resolve(true);
    });
    over.signal.addEventListener("abort", unsubscribe);
  });
  try {
    await notify(database, {
      topic: "agent_probe",
      connection_id: incumbent.connectionId,
      probe,
      patience_ms: patience,
    });
    return await Promise.race([answered, clock.sleep(patience, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}

/** Notifies the replica that requested the ping. The agent has answered the ping. */
export function confirmAlive({ database }: ServiceContext, probe: string): Promise<void> {
  return notify(database, { topic: "agent_alive", probe });
}

/**
 * Records an agent that was refused because another agent with the same key is connected. The audit log gets
 * only the first of a series of refusals.
 */
export async function noteDuplicateAgent(
  services: ServiceContext,
  { remoteServerId }: Connection,
  hostname: string,
  reason: string,
  origin: Origin,
): Promise<void> {
  await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const before = await lockDuplicateAgent(sql, remoteServerId);
    const isNew = before === null || before.hostname !== hostname ||
      now.getTime() - Date.parse(before.last_refused_at) > DUPLICATE_SHOWN;
    await storeDuplicateAgent(sql, remoteServerId, {
      hostname,
      ip_address: origin.address,
      first_refused_at: isNew ? now.toISOString() : before.first_refused_at,
      last_refused_at: now.toISOString(),
      refused_count: isNew ? 1 : before.refused_count + 1,
    });
    const server = await findRemoteServer(sql, remoteServerId);
    if (server !== undefined) await notifyDuplicateAgent(services, sql, server, reason);
    if (!isNew) return;
    const actor = { type: "agent" as const, remoteServerId };
    const about = { action: "connectAgent", resource: "remote-servers", resourceId: remoteServerId };
    await enterAudit(services, { actor, ...about, result: "refused", reason, origin }, sql);
  });
}
