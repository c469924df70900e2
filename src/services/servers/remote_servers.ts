/** Remote servers: the machines whose data is backed up. */
import { columnsOf, newColumns } from "../../definitions/fields/columns.ts";
import type { Input, NewInput } from "../../definitions/fields/field.ts";
import { REMOTE_SERVER_FIELDS, type RemoteServerFields } from "../../definitions/remote_server_fields.ts";
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import {
  countServerUses,
  deleteRemoteServer as deleteRow,
  findRemoteServerDetail,
  insertRemoteServer,
  isAddressTaken,
  listRemoteServers as listRows,
  lockAddresses,
  lockBackupsOnDisk,
  lockRemoteServer,
  type RemoteServerDetailRow,
  type RemoteServerFilter,
  updateRemoteServer as updateRow,
} from "../../store/agents/remote_servers.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import { DUPLICATE_SHOWN } from "./agent_incumbents.ts";
import { countUnprotected } from "./inventories.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";
import { putIntoTrash } from "../retention/trash.ts";

/** A server as the API shows it. */
export interface RemoteServer extends ConnectedServer {
  /**
   * Number of items in the server's inventory that no task covers and that nobody has dismissed. Null before
   * the first inventory.
   */
  unprotected_count: number | null;
}

/** A server with its agent's connectivity. */
export interface ConnectedServer extends RemoteServerDetailRow {
  connectivity: "unknown" | "connected" | "disconnected";
}

const RESOURCE = "Remote server";

export async function createRemoteServer(
  services: ServiceContext,
  caller: Caller,
  input: NewInput<RemoteServerFields>,
): Promise<RemoteServer> {
  return await transaction(services.database, async (sql) => {
    const columns = newColumns(REMOTE_SERVER_FIELDS, input, (secret) => services.keyring.encrypt(secret));
    await refuseTakenAddress(sql, caller, columns.ip_address, columns.port, null);
    const id = await insertRemoteServer(sql, caller, columns, services.clock.now());
    recordCreated(id);
    return await find(services, sql, caller, id);
  });
}

export async function updateRemoteServer(
  services: ServiceContext,
  caller: Caller,
  id: number,
  input: Input<RemoteServerFields>,
): Promise<RemoteServer> {
  return await transaction(services.database, async (sql) => {
    const server = await lockRemoteServer(sql, caller.workspaceId, id);
    if (server === undefined) throw new NotFoundError(RESOURCE);
    await refuseTakenAddress(
      sql,
      caller,
      input.ip_address ?? server.ip_address,
      input.port ?? server.port,
      id,
    );
    const columns = columnsOf(REMOTE_SERVER_FIELDS, input, (secret) => services.keyring.encrypt(secret));
    await updateRow(sql, id, columns, services.clock.now());
    return await find(services, sql, caller, id);
  });
}

export async function showRemoteServer(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<RemoteServer> {
  return await find(services, services.database, caller, id);
}

export async function listRemoteServers(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: RemoteServerFilter & ListOrder = {},
): Promise<Page<RemoteServer>> {
  const now = services.clock.now();
  const heardSince = new Date(now.getTime() - REPLICA_TIMEOUT);
  const { rows, total } = await listRows(services.database, caller.workspaceId, window, choice, heardSince);
  const counts = await countUnprotected(services.database, rows.map(({ id }) => id));
  return {
    rows: rows.map((row) => ({
      ...withConnectivity(row, now),
      unprotected_count: counts.get(row.id) ?? null,
    })),
    total,
  };
}

/**
 * Deletes a server and revokes its agent's key at once. Throws a {@link ConflictError} while tasks use the
 * server, runs are active on it, or its disk stores backups.
 *
 * With `forget`, backups on the server's disk are no obstacle: their records are put into the trash. Use this
 * for a disk that is gone for good. The result contains the time at which these records will be deleted; null
 * if there are no such records.
 */
export async function deleteRemoteServer(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { forget = false }: { forget?: boolean } = {},
): Promise<{ deletes_at: Date | null }> {
  return await transaction(services.database, async (sql) => {
    if (await lockRemoteServer(sql, caller.workspaceId, id) === undefined) throw new NotFoundError(RESOURCE);
    const { tasks, runs } = await countServerUses(sql, id);
    if (tasks > 0) {
      throw new ConflictError(
        `The remote server is used by ${pluralize(tasks, "backup task")}. ` +
          "Delete them or move them to another server first.",
      );
    }
    if (runs > 0) {
      throw new ConflictError(
        `The remote server still works on ${
          pluralize(runs, "run")
        }. Cancel them, or wait until they have finished.`,
      );
    }
    const deletesAt = await forgetDisk(services, sql, caller, id, forget);
    await deleteRow(sql, id);
    await notify(sql, { topic: "agent_revoked", remote_server_id: id });
    return { deletes_at: deletesAt };
  });
}

/**
 * Puts the records of the backups on a server's disk into the trash, because no agent can read or delete the
 * backups any more.
 */
async function forgetDisk(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  id: number,
  forget: boolean,
): Promise<Date | null> {
  const backups = (await lockBackupsOnDisk(sql, id)).filter(({ is_forgotten }) => !is_forgotten);
  if (backups.length === 0) return null;
  const holds = `The disk of the remote server holds ${pluralize(backups.length, "backup")}`;
  if (!forget) {
    throw new ConflictError(
      `${holds}. Delete those first, then delete the server. If the disk is gone for good, ` +
        `DELETE /api/remote-servers/${id}?forget=true drops their records.`,
    );
  }
  const held = backups.filter(({ is_held }) => is_held).length;
  if (held > 0) {
    throw new ConflictError(
      `${holds}, of which ${held} ${
        held === 1 ? "is" : "are"
      } held. Release them with DELETE /api/backups/{id}/hold first.`,
    );
  }
  return await putIntoTrash(services, sql, caller, backups.map((each) => each.id), "forget");
}

async function find(services: ServiceContext, sql: Sql, caller: Caller, id: number): Promise<RemoteServer> {
  const row = await findRemoteServerDetail(sql, caller.workspaceId, id);
  if (row === undefined) throw new NotFoundError(RESOURCE);
  const counts = await countUnprotected(sql, [id]);
  return { ...withConnectivity(row, services.clock.now()), unprotected_count: counts.get(id) ?? null };
}

async function refuseTakenAddress(
  sql: Sql,
  caller: Caller,
  ipAddress: string,
  port: number,
  exceptId: number | null,
): Promise<void> {
  await lockAddresses(sql, caller.workspaceId);
  if (await isAddressTaken(sql, caller.workspaceId, ipAddress, port, exceptId)) {
    throw new InvalidError({ ip_address: ["The ip address has already been taken."] });
  }
}

/**
 * Adds the connectivity to a server. An agent counts as connected while the replica that holds its websocket
 * is alive. Also sets `duplicate_agent` to null if the last refusal of a duplicate agent was longer ago than
 * {@link DUPLICATE_SHOWN}.
 */
export function withConnectivity(detail: RemoteServerDetailRow, now: Date): ConnectedServer {
  const refusedAt = detail.duplicate_agent === null
    ? -Infinity
    : Date.parse(detail.duplicate_agent.last_refused_at);
  const isShown = now.getTime() - refusedAt <= DUPLICATE_SHOWN;
  const row = isShown ? detail : { ...detail, duplicate_agent: null };
  const heartbeat = row.replica_heartbeat_at?.getTime() ?? -Infinity;
  const isUp = row.connection_id !== null && now.getTime() - heartbeat <= REPLICA_TIMEOUT;
  if (isUp) return { ...row, connectivity: "connected" };
  return { ...row, connectivity: row.last_connected_at === null ? "unknown" : "disconnected" };
}
