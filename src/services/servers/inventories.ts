/** Keeps the inventories of servers, and finds out what no backup task covers. */
import { DEFINITIONS, FILES_TASK_TYPE } from "../../definitions/sources/registry.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import { quoteDatabaseName, splitDatabaseNames } from "../../domain/database/database_names.ts";
import { NotFoundError, UnavailableError } from "../../domain/errors.ts";
import {
  type Coverage,
  coverageOf,
  type CoveringSource,
  type InventoryItem,
  itemId,
} from "../../domain/inventory.ts";
import { PROTOCOL_EXPLORE } from "../../protocol/version.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import {
  changeDismissed,
  claimDueInventories,
  listInventories,
  markInventoryRequested,
  recordInventory,
  type ServerInventoryRow,
} from "../../store/agents/server_inventories.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import { type BackupTaskRow, listTasksOfServers } from "../../store/tasks/backup_tasks.ts";
import { logger } from "../../telemetry/logging.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { findConnected } from "./connected_agent.ts";

/** Time limit of the agent, in milliseconds. */
const AGENT_TIMEOUT = 60_000;
/** How long an inventory is current, in milliseconds. */
const LIFETIME = 24 * 3_600_000;
/** How long to wait after a failure before the agent is asked again, in milliseconds. */
const RETRY_AFTER = 3_600_000;
/** Maximum number of agents that one call of {@link renewInventories} asks. It asks them at the same time. */
const AT_ONCE = 20;

const log = () => logger("services");

/** Something on a server that no task covers completely. */
export interface UnprotectedItem extends InventoryItem {
  readonly id: string;
  readonly coverage: Exclude<Coverage, "all">;
  readonly isDismissed: boolean;
  /** Fields of a task that would back the item up. */
  readonly prefill: Readonly<Record<string, string>>;
}

export interface Unprotected {
  readonly items: readonly UnprotectedItem[];
  readonly inventoriedAt: Date | null;
  readonly notes: readonly string[];
}

/**
 * Requests an inventory from each agent whose last inventory is missing or at least a day old. If a request
 * fails, logs the failure. A later call repeats the request after an hour.
 */
export async function renewInventories(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  const now = clock.now();
  const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds);
  const due = await claimDueInventories(database, PROTOCOL_EXPLORE, AT_ONCE, {
    now,
    before: ago(LIFETIME),
    retryBefore: ago(RETRY_AFTER),
    heardSince: ago(REPLICA_TIMEOUT),
  });
  await Promise.all(due.map(async (id) => {
    try {
      await takeInventory(services, id);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      log().info("Cannot take the inventory of server {server_id}: {error}", { server_id: id, error });
    }
  }));
}

/** Asks the agent of a server for an inventory now, and returns what is not protected. */
export async function takeInventoryNow(
  services: ServiceContext,
  caller: Caller,
  serverId: number,
): Promise<Unprotected> {
  await findConnected(services, caller, serverId, PROTOCOL_EXPLORE);
  await markInventoryRequested(services.database, serverId, services.clock.now());
  await takeInventory(services, serverId);
  return await unprotectedOn(services.database, caller, serverId);
}

async function takeInventory(services: ServiceContext, serverId: number): Promise<void> {
  const payload = { kind: "server.inventory", remote_server_id: serverId } as const;
  const found = await requestAgent(services, serverId, payload, AGENT_TIMEOUT);
  // Ignore databases of types that this control plane does not know: it could not make a task of them.
  const items = found.items.filter(({ engine }) => engine === null || DEFINITIONS.has(engine));
  await recordInventory(services.database, serverId, { ...found, items }, services.clock.now());
}

/** Returns the items of a server's last inventory that no task of the server covers completely. */
export async function listUnprotected(
  { database }: ServiceContext,
  caller: Caller,
  serverId: number,
): Promise<Unprotected> {
  return await unprotectedOn(database, caller, serverId);
}

/**
 * Marks items that need no backup, or removes these marks. Then returns the same as {@link listUnprotected}.
 */
export async function dismissUnprotected(
  { database }: ServiceContext,
  caller: Caller,
  serverId: number,
  ids: readonly string[],
  isDismissed: boolean,
): Promise<Unprotected> {
  return await transaction(database, async (sql) => {
    const { items } = await unprotectedOn(sql, caller, serverId);
    const known = items.map(({ id }) => id).filter((id) => ids.includes(id));
    await changeDismissed(sql, serverId, known, isDismissed);
    return await unprotectedOn(sql, caller, serverId);
  });
}

async function unprotectedOn(sql: Sql, caller: Caller, serverId: number): Promise<Unprotected> {
  if (await findRemoteServerOf(sql, caller.workspaceId, serverId) === undefined) {
    throw new NotFoundError("Remote server");
  }
  const [inventory] = await listInventories(sql, [serverId]);
  if (inventory === undefined) return { items: [], inventoriedAt: null, notes: [] };
  const tasks = await listTasksOfServers(sql, [serverId]);
  const { inventoried_at, notes } = inventory;
  return { items: unprotectedOf(inventory, tasks), inventoriedAt: inventoried_at, notes };
}

/**
 * Returns how many items of each server are not protected and not dismissed. Servers without an inventory are
 * missing in the result.
 */
export async function countUnprotected(
  sql: Sql,
  serverIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const inventories = await listInventories(sql, serverIds);
  if (inventories.length === 0) return new Map();
  const tasks = Map.groupBy(await listTasksOfServers(sql, serverIds), (task) => task.remote_server_id);
  return new Map(
    inventories.filter(({ items }) => items !== null).map((inventory) => {
      const { remote_server_id: id } = inventory;
      const open = unprotectedOf(inventory, tasks.get(id) ?? []).filter(({ isDismissed }) => !isDismissed);
      return [id, open.length];
    }),
  );
}

function unprotectedOf(
  { items, dismissed }: ServerInventoryRow,
  tasks: readonly BackupTaskRow[],
): UnprotectedItem[] {
  const sources = tasks.flatMap(coveringSource);
  return (items ?? []).flatMap((item) => {
    const coverage = coverageOf(item, sources);
    if (coverage === "all") return [];
    const id = itemId(item);
    return [{ ...item, id, coverage, isDismissed: dismissed.includes(id), prefill: prefillOf(item) }];
  });
}

function coveringSource(task: BackupTaskRow): CoveringSource[] {
  const { source_path, excluded_paths, database_name, database_type, database_host } = sourceValues(task);
  if (source_path !== null) return [{ path: source_path, excluded: excluded_paths }];
  if (database_name === null) return [];
  return [{ engine: database_type, host: database_host, names: splitDatabaseNames(database_name) }];
}

/** Returns the fields of a task that would back an item up. */
function prefillOf({ engine, name, path }: InventoryItem): Record<string, string> {
  const definition = engine === null ? undefined : DEFINITIONS.get(engine);
  if (definition === undefined) return { type: FILES_TASK_TYPE, source_path: path ?? "" };
  return {
    type: definition.taskType,
    database_type: engine!,
    database_name: quoteDatabaseName(name),
  };
}
