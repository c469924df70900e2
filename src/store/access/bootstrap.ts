/** Queries that only the start of a control plane needs. */
import type { Sql } from "../database/sql.ts";

export interface LocalServerRow {
  id: number;
  user_id: number;
  label: string;
  /** Hostname of the agent that enrolled last; null if no agent ever did. */
  agent_hostname: string | null;
  has_agent: boolean;
}

/** Returns the number of users. Until the transaction ends, no users can be added. */
export async function lockUsersTable(sql: Sql): Promise<number> {
  await sql`lock table users in share row exclusive mode`;
  const [row] = await sql<{ total: number }[]>`select count(*) as total from users`;
  return row!.total;
}

export async function anyUser(sql: Sql): Promise<boolean> {
  const rows = await sql`select from users limit 1`;
  return rows.length > 0;
}

/** Returns the id of the administrator with the oldest account; null if there is no administrator. */
export async function firstAdministratorId(sql: Sql): Promise<number | null> {
  const [row] = await sql<
    { id: number }[]
  >`select id from users where is_admin and deletes_at is null order by id limit 1`;
  return row?.id ?? null;
}

/** Returns the workspace's server with this address and port; null if there is none. */
export async function findServerAt(
  sql: Sql,
  workspaceId: number,
  ipAddress: string,
  port: number,
): Promise<LocalServerRow | null> {
  const [row] = await sql<LocalServerRow[]>`
    select id, user_id, label, agent_key_hash is not null as has_agent,
      agent_description ->> 'hostname' as agent_hostname
    from remote_servers where workspace_id = ${workspaceId} and ip_address = ${ipAddress} and port = ${port}`;
  return row ?? null;
}
