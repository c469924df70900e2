/** Which agents have a socket up, where, and the runs in their hands. */
import type { AgentDescriptionColumn } from "./remote_servers.ts";
import type { Sql } from "./database.ts";
import type { RunRow } from "./runs.ts";

export async function markConnected(
  sql: Sql,
  serverId: number,
  connection: { id: string; replicaId: string; protocol: number; description: AgentDescriptionColumn },
  now: Date,
): Promise<void> {
  await sql`
    update remote_servers set
      connection_id = ${connection.id}, connection_replica_id = ${connection.replicaId},
      agent_protocol = ${connection.protocol}, agent_description = ${sql.json({ ...connection.description })},
      connected_at = ${now}, last_connected_at = ${now}
    where id = ${serverId}`;
}

/** Enters sockets of a replica again where none is known: another replica may have taken this one for dead. */
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

/** Only if that connection is still the newest. */
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

/** All that a replica holds. Returns the servers. */
export async function markReplicaDisconnected(sql: Sql, replicaId: string, now: Date): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    update remote_servers set connection_id = null, connection_replica_id = null, last_connected_at = ${now}
    where connection_replica_id = ${replicaId} returning id`;
  return rows.map(({ id }) => id);
}

/** Runs that this server's agent should hold, and those it says it holds, locked in id order. */
export function lockRunsOfAgent(sql: Sql, serverId: number, held: readonly number[]): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select * from runs
    where remote_server_id = ${serverId}
      and (state in ('leased', 'running', 'cancelling') or id = any(${[...held]}::bigint[]))
    order by id for update`;
}

/** Runs of these servers that are to be stopped. */
export function cancellingRuns(
  sql: Sql,
  serverIds: readonly number[],
): Promise<{ id: number; attempt: number; remote_server_id: number; reason: string | null }[]> {
  return sql`
    select id, attempt, remote_server_id, reason from runs
    where state = 'cancelling' and remote_server_id = any(${[...serverIds]}::bigint[]) order by id`;
}
