/** Records which agents are connected, to which replica, and which runs they hold. */
import type { AgentDescriptionColumn } from "./remote_servers.ts";
import type { Sql } from "../database/sql.ts";
import type { RunRow } from "../runs/runs.ts";

export interface NewConnection {
  id: string;
  replicaId: string;
  protocol: number;
  description: AgentDescriptionColumn;
  seat: string | null;
}

/**
 * Locks a server until the transaction ends, and returns two of its values:
 * - `connection_id`: the id of the recorded connection; null if no connection is recorded.
 * - `agent_seat`: the seat of the agent that connected last; null if that agent sent no seat.
 */
export async function lockConnection(
  sql: Sql,
  serverId: number,
): Promise<{ connection_id: string | null; agent_seat: string | null }> {
  const [row] = await sql<{ connection_id: string | null; agent_seat: string | null }[]>`
    select connection_id, agent_seat from remote_servers where id = ${serverId} for no key update`;
  return row ?? { connection_id: null, agent_seat: null };
}

export async function markConnected(
  sql: Sql,
  serverId: number,
  connection: NewConnection,
  now: Date,
): Promise<void> {
  await sql`
    update remote_servers set
      connection_id = ${connection.id}, connection_replica_id = ${connection.replicaId},
      agent_protocol = ${connection.protocol}, agent_description = ${sql.json({ ...connection.description })},
      agent_seat = ${connection.seat}, connected_at = ${now}, last_connected_at = ${now}
    where id = ${serverId}`;
}

/** A server's recorded connection. */
export interface Incumbent {
  connectionId: string;
  replicaId: string;
  /** Last heartbeat of the replica that holds the connection; null if the replica's row is gone. */
  replicaHeartbeatAt: Date | null;
  seat: string | null;
  hostname: string | null;
}

export async function findIncumbent(sql: Sql, serverId: number): Promise<Incumbent | undefined> {
  const [row] = await sql<Incumbent[]>`
    select s.connection_id as "connectionId", s.connection_replica_id as "replicaId",
      r.heartbeat_at as "replicaHeartbeatAt", s.agent_seat as seat, s.agent_description->>'hostname' as hostname
    from remote_servers s left join replicas r on r.id = s.connection_replica_id
    where s.id = ${serverId} and s.connection_id is not null`;
  return row;
}

/**
 * Records the open connections of a replica again. Another replica might have considered this replica dead
 * and cleared the records. Does not change a server that has a recorded connection.
 */
export async function restoreConnections(
  sql: Sql,
  replicaId: string,
  connections: readonly { id: string; remoteServerId: number }[],
): Promise<void> {
  await sql`
    update remote_servers set connection_id = held.id, connection_replica_id = ${replicaId}
    from unnest(
      ${connections.map(({ id }) => id)}::uuid[], ${connections.map((one) => one.remoteServerId)}::bigint[]
    ) as held (id, server_id)
    where remote_servers.id = held.server_id and connection_id is null
      and exists (select from replicas where id = ${replicaId})`;
}

/**
 * Clears the server's recorded connection and returns true if the connection's id is `connectionId`. Returns
 * false if another connection is recorded, because the agent has connected again.
 */
export async function markDisconnected(
  sql: Sql,
  serverId: number,
  connectionId: string,
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    update remote_servers set connection_id = null, connection_replica_id = null, last_connected_at = ${now}
    where id = ${serverId} and connection_id = ${connectionId}`;
  return count === 1;
}

/** Clears the recorded connections of a replica. Returns the ids of their servers. */
export async function markReplicaDisconnected(sql: Sql, replicaId: string, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    update remote_servers set connection_id = null, connection_replica_id = null, last_connected_at = ${now}
    where connection_replica_id = ${replicaId} returning id`;
  return rows.map(({ id }) => id);
}

/**
 * Locks and returns, in the order of their ids, two groups of a server's runs: those that its agent should
 * hold according to their state, and those that the agent reports as held.
 */
export function lockRunsOfAgent(sql: Sql, serverId: number, held: readonly number[]): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select * from runs
    where remote_server_id = ${serverId}
      and (state in ('leased', 'running', 'cancelling') or id = any(${[...held]}::bigint[]))
    order by id for update`;
}

/** Returns the runs of these servers that are in the state `cancelling`. */
export function cancellingRuns(
  sql: Sql,
  serverIds: readonly number[],
): Promise<{ id: number; attempt: number; remote_server_id: number; reason: string | null }[]> {
  return sql`
    select id, attempt, remote_server_id, reason from runs
    where state = 'cancelling' and remote_server_id = any(${[...serverIds]}::bigint[]) order by id`;
}
