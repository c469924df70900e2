/**
 * Reads when agents were connected. A database trigger records these times: see the migration
 * `server_connections`.
 */
import type { Sql } from "../database/sql.ts";

export interface ServerConnections {
  readonly id: number;
  readonly label: string;
  /** When the recording began; null if no agent was ever connected or enrolled. */
  readonly recorded_since: Date | null;
  /** When the agent connected, in seconds since the epoch, the earliest time first. */
  readonly connected: readonly number[];
  /** When each of these connections ended; -1 if it has not. */
  readonly disconnected: readonly number[];
}

/**
 * Returns servers of a workspace, each with its connections that began before `to` and had not ended at
 * `from`.
 *
 * @param serverIds Null for all servers of the workspace.
 * @param kept What was recorded before this time is deleted.
 */
export function listServerConnections(
  sql: Sql,
  workspaceId: number,
  serverIds: readonly number[] | null,
  { from, to, kept }: { from: Date; to: Date; kept: Date },
): Promise<ServerConnections[]> {
  const chosen = serverIds === null ? sql`true` : sql`s.id = any(${[...serverIds]}::bigint[])`;
  return sql<ServerConnections[]>`
    select s.id, s.label, case when first.at is not null then greatest(
        ${kept}::timestamptz, first.at,
        (select applied_at from schema_migrations where name like '%\\_server\\_connections')
      ) end as recorded_since,
      coalesce(times.connected, '{}') as connected, coalesce(times.disconnected, '{}') as disconnected
    from remote_servers s cross join lateral (
      select least(s.agent_enrolled_at, (
        select min(connected_at) from server_connections where remote_server_id = s.id
      )) as at
    ) first cross join lateral (
      select array_agg(extract(epoch from connected_at)::double precision order by connected_at, id) as connected,
        array_agg(coalesce(extract(epoch from disconnected_at)::double precision, -1) order by connected_at, id)
          as disconnected
      from server_connections
      where remote_server_id = s.id and connected_at < ${to} and (disconnected_at is null or disconnected_at > ${from})
    ) times
    where s.workspace_id = ${workspaceId} and ${chosen} order by s.id`;
}

export async function deleteConnectionsBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from server_connections where disconnected_at < ${before}`;
}
