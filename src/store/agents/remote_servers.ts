/** Remote servers: the machines whose data is backed up, each with at most one agent. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import { typesOfReach } from "../../definitions/destinations/registry.ts";
import type { Columns } from "../../definitions/fields/field.ts";
import type { RemoteServerFields } from "../../definitions/remote_server_fields.ts";
import type { Sql } from "../database/sql.ts";
import { isActive } from "../runs/runs.ts";
import type { PageWindow } from "../../domain/page.ts";
import { allOf, containsText, createdWithin, type ListOrder, orderBy, type Page } from "../database/page.ts";

/** An agent's description of itself, from its last hello or its enrolment. */
export interface AgentDescriptionColumn {
  version: string;
  hostname: string;
  os: string;
  arch: string;
  tools: Record<string, string>;
  /** Source types that the agent supports; absent if the agent does not report them. */
  sources?: string[];
}

/** An agent that was refused because another agent with the same key was connected. Times are ISO 8601. */
export interface DuplicateAgentColumn {
  hostname: string;
  ip_address: string | null;
  first_refused_at: string;
  last_refused_at: string;
  refused_count: number;
}

export interface RemoteServerRow extends Columns<RemoteServerFields> {
  id: number;
  user_id: number;
  workspace_id: number;
  agent_key_hash: string | null;
  agent_enrolled_at: Date | null;
  agent_description: AgentDescriptionColumn | null;
  agent_protocol: number | null;
  connection_id: string | null;
  connection_replica_id: string | null;
  agent_seat: string | null;
  duplicate_agent: DuplicateAgentColumn | null;
  connected_at: Date | null;
  last_connected_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export interface RemoteServerDetailRow extends RemoteServerRow {
  /** Last heartbeat of the replica to which the agent is connected; null if the agent is not connected. */
  replica_heartbeat_at: Date | null;
}

export type NewRemoteServer = Columns<RemoteServerFields>;

export async function insertRemoteServer(
  sql: Sql,
  owner: Owner,
  server: NewRemoteServer,
  now: Date,
): Promise<number> {
  const values = { ...server, ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<{ id: number }[]>`insert into remote_servers ${sql(values)} returning id`;
  return row!.id;
}

export async function updateRemoteServer(
  sql: Sql,
  id: number,
  changes: Partial<NewRemoteServer>,
  now: Date,
): Promise<void> {
  await sql`update remote_servers set ${sql({ ...changes, updated_at: now })} where id = ${id}`;
}

export async function deleteRemoteServer(sql: Sql, id: number): Promise<void> {
  await sql`delete from remote_servers where id = ${id}`;
}

/** Returns a server, whichever workspace it belongs to. */
export async function findRemoteServer(sql: Sql, id: number): Promise<RemoteServerRow | undefined> {
  const [row] = await sql<RemoteServerRow[]>`select * from remote_servers where id = ${id}`;
  return row;
}

export async function findRemoteServerOf(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<RemoteServerRow | undefined> {
  const [row] = await sql<RemoteServerRow[]>`
    select * from remote_servers where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

/**
 * Returns whether the server belongs to the workspace, and prevents the server's deletion until the
 * transaction ends.
 */
export async function holdRemoteServer(sql: Sql, workspaceId: number, id: number): Promise<boolean> {
  const rows = await sql`
    select from remote_servers where id = ${id} and workspace_id = ${workspaceId} for key share`;
  return rows.length > 0;
}

/**
 * Locks a server of the workspace against changes and new references until the transaction ends. Returns the
 * server.
 */
export async function lockRemoteServer(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<RemoteServerRow | undefined> {
  const [row] = await sql<RemoteServerRow[]>`
    select * from remote_servers where id = ${id} and workspace_id = ${workspaceId} for update`;
  return row;
}

export async function findRemoteServerDetail(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<RemoteServerDetailRow | undefined> {
  const [row] = await sql<RemoteServerDetailRow[]>`
    select s.*, r.heartbeat_at as replica_heartbeat_at
    from remote_servers s left join replicas r on r.id = s.connection_replica_id
    where s.id = ${id} and s.workspace_id = ${workspaceId}`;
  return row;
}

/** Filter of a listing of servers. A field that is absent does not filter. */
export interface RemoteServerFilter {
  readonly connectivity?: "unknown" | "connected" | "disconnected";
  readonly since?: Date;
  readonly until?: Date;
  /** Text to find in the label or the IP address. */
  readonly search?: string;
}

const SORTS = { created_at: "created_at", label: "label", last_connected_at: "last_connected_at" };

/**
 * Lists the workspace's servers.
 *
 * @param heardSince If a replica has sent no heartbeat since this time, its connections count as lost.
 */
export async function listRemoteServers(
  sql: Sql,
  workspaceId: number,
  { offset, limit }: PageWindow,
  { sort, connectivity, since, until, search }: RemoteServerFilter & ListOrder,
  heardSince: Date,
): Promise<Page<RemoteServerDetailRow>> {
  const isUp = sql`(connection_id is not null and coalesce(replica_heartbeat_at >= ${heardSince}, false))`;
  const conditions = {
    connected: isUp,
    disconnected: sql`(not ${isUp} and last_connected_at is not null)`,
    unknown: sql`(not ${isUp} and last_connected_at is null)`,
  };
  const where = allOf(sql, [
    sql`workspace_id = ${workspaceId}`,
    connectivity === undefined ? null : conditions[connectivity],
    ...createdWithin(sql, { since, until }),
    search === undefined ? null : containsText(sql, ["label", "ip_address"], search),
  ]);
  const servers = sql`(
    select s.*, r.heartbeat_at as replica_heartbeat_at
    from remote_servers s left join replicas r on r.id = s.connection_replica_id
  ) servers`;
  const rows = await sql<RemoteServerDetailRow[]>`
    select * from ${servers} where ${where} ${orderBy(sql, sort, SORTS)} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from ${servers} where ${where}`;
  return { rows, total: count!.total };
}

/** Takes a lock, so that only one transaction at a time chooses addresses for the workspace's servers. */
export async function lockAddresses(sql: Sql, workspaceId: number): Promise<void> {
  await sql`select from workspaces where id = ${workspaceId} for no key update`;
}

/** Returns whether another server of the workspace has this address and port. */
export async function isAddressTaken(
  sql: Sql,
  workspaceId: number,
  ipAddress: string,
  port: number,
  exceptId: number | null,
): Promise<boolean> {
  const rows = await sql`
    select from remote_servers where workspace_id = ${workspaceId} and ip_address = ${ipAddress} and port = ${port}
      and id is distinct from ${exceptId}`;
  return rows.length > 0;
}

/** Locks the backups on a server's own disk until the transaction ends. Returns their ids and states. */
export async function lockBackupsOnDisk(
  sql: Sql,
  id: number,
): Promise<{ id: number; is_held: boolean; is_forgotten: boolean }[]> {
  return await sql<{ id: number; is_held: boolean; is_forgotten: boolean }[]>`
    select b.id, b.held_at is not null as is_held, b.removal_reason is not distinct from 'forget' as is_forgotten
    from backups b join backup_destinations d on d.id = b.backup_destination_id
    where b.remote_server_id = ${id} and d.type = any(${
    typesOfReach("server")
  }) order by b.id for update of b`;
}

export async function countServerUses(sql: Sql, id: number): Promise<{ tasks: number; runs: number }> {
  const [row] = await sql<{ tasks: number; runs: number }[]>`
    select
      (select count(*) from backup_tasks where remote_server_id = ${id}) as tasks,
      (select count(*) from runs where remote_server_id = ${id} and ${isActive(sql)}) as runs`;
  return row!;
}

/** Returns the server whose agent has the key with this hash, whichever workspace it belongs to. */
export async function findRemoteServerByAgentKey(
  sql: Sql,
  keyHash: string,
): Promise<RemoteServerRow | undefined> {
  const [row] = await sql<RemoteServerRow[]>`select * from remote_servers where agent_key_hash = ${keyHash}`;
  return row;
}

/** Locks a server until the transaction ends. Returns the agent that was refused last; null if none was. */
export async function lockDuplicateAgent(sql: Sql, id: number): Promise<DuplicateAgentColumn | null> {
  const [row] = await sql<{ duplicate_agent: DuplicateAgentColumn | null }[]>`
    select duplicate_agent from remote_servers where id = ${id} for no key update`;
  return row?.duplicate_agent ?? null;
}

export async function storeDuplicateAgent(
  sql: Sql,
  id: number,
  duplicate: DuplicateAgentColumn,
): Promise<void> {
  await sql`update remote_servers set duplicate_agent = ${sql.json({ ...duplicate })} where id = ${id}`;
}

/**
 * Stores the hash of the agent's new key. The old key becomes invalid. Returns whether there was an old key.
 */
export async function storeAgentKey(
  sql: Sql,
  id: number,
  keyHash: string,
  description: AgentDescriptionColumn,
  now: Date,
): Promise<{ replaced: boolean }> {
  const [row] = await sql<{ replaced: boolean }[]>`
    with before as (select agent_key_hash from remote_servers where id = ${id} for update)
    update remote_servers set agent_key_hash = ${keyHash}, agent_enrolled_at = ${now},
      agent_description = ${sql.json({ ...description })}, agent_seat = null, duplicate_agent = null,
      updated_at = ${now}
    from before where id = ${id}
    returning before.agent_key_hash is not null as replaced`;
  return row!;
}

export async function clearAgentKey(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`
    update remote_servers set agent_key_hash = null, agent_enrolled_at = null, updated_at = ${now}
    where id = ${id}`;
}
