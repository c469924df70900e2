/** Inventories of servers: everything that could be backed up, as their agents last reported it. */
import type { InventoryItem } from "../../domain/inventory.ts";
import { column, namesOf, type RowOf } from "../database/columns.ts";
import type { Sql } from "../database/sql.ts";

const COLUMNS = {
  remote_server_id: column<number>(),
  /** Null until the agent has answered for the first time. */
  items: column<InventoryItem[] | null>(),
  /** Lines about what the agent could not look at. */
  notes: column<string[]>(),
  inventoried_at: column<Date | null>(),
  requested_at: column<Date>(),
  /** Ids of the items that a person does not want to be backed up. */
  dismissed: column<string[]>(),
};

export type ServerInventoryRow = RowOf<typeof COLUMNS>;

const columns = namesOf(COLUMNS);

export function listInventories(sql: Sql, serverIds: readonly number[]): Promise<ServerInventoryRow[]> {
  return sql<ServerInventoryRow[]>`
    select ${sql(columns)} from server_inventories where remote_server_id = any(${[...serverIds]}::bigint[])`;
}

/** Returns the ids of the servers of a workspace whose agents have reported an inventory. */
export async function listInventoriedServers(sql: Sql, workspaceId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select s.id from remote_servers s join server_inventories i on i.remote_server_id = s.id
    where s.workspace_id = ${workspaceId} and i.items is not null order by s.id`;
  return rows.map(({ id }) => id);
}

/** Records `now` as the time at which the agent of a server was asked for an inventory. */
export async function markInventoryRequested(sql: Sql, serverId: number, now: Date): Promise<void> {
  await sql`
    insert into server_inventories (remote_server_id, requested_at) values (${serverId}, ${now})
    on conflict (remote_server_id) do update set requested_at = ${now}`;
}

/**
 * Returns the servers whose agents are connected and should be asked for an inventory, and records that they
 * are asked now. Two control planes never get the same server.
 *
 * @param times An agent is asked again if it was last asked before `before`. If it has not sent an inventory
 *   since it was last asked, it is asked again sooner: if it was last asked before `retryBefore`. If a
 *   replica has sent no heartbeat since `heardSince`, its connections count as lost.
 */
export async function claimDueInventories(
  sql: Sql,
  protocol: number,
  limit: number,
  { now, before, retryBefore, heardSince }: Record<"now" | "before" | "retryBefore" | "heardSince", Date>,
): Promise<number[]> {
  const rows = await sql<{ remote_server_id: number }[]>`
    insert into server_inventories as i (remote_server_id, requested_at)
    select s.id, ${now} from remote_servers s
    join replicas r on r.id = s.connection_replica_id and r.heartbeat_at >= ${heardSince}
    left join server_inventories known on known.remote_server_id = s.id
    where s.connection_id is not null and s.agent_protocol >= ${protocol}
      and (known.remote_server_id is null or known.requested_at < ${before}
        or (known.requested_at < ${retryBefore}
          and coalesce(known.inventoried_at < known.requested_at, true)))
    order by s.id limit ${limit}
    on conflict (remote_server_id) do update set requested_at = excluded.requested_at
      where i.requested_at < ${retryBefore}
    returning remote_server_id`;
  return rows.map(({ remote_server_id }) => remote_server_id);
}

export async function recordInventory(
  sql: Sql,
  serverId: number,
  { items, notes }: { items: readonly InventoryItem[]; notes: readonly string[] },
  now: Date,
): Promise<void> {
  await sql`
    update server_inventories set items = ${sql.json(items as never)}, notes = ${sql.json(notes as never)},
      inventoried_at = ${now}
    where remote_server_id = ${serverId}`;
}

/** Adds ids to a server's dismissed items if `isDismissed` is true. Otherwise, removes the ids from them. */
export async function changeDismissed(
  sql: Sql,
  serverId: number,
  ids: readonly string[],
  isDismissed: boolean,
): Promise<void> {
  const remaining = sql`array(
    select id from unnest(dismissed) id where id <> all(${[...ids]}::text[]) order by id
  )`;
  await sql`
    update server_inventories
    set dismissed = ${isDismissed ? sql`${remaining} || ${[...ids]}::text[]` : remaining}
    where remote_server_id = ${serverId}`;
}
