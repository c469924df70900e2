/** Adds records of backups that exist at their destination but are missing in the database. */
import { type Owner, ownerColumns, ownerOf } from "../../domain/access/owner.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { insertBackup, type NewBackup, type NewBackupObject } from "../../store/backups/backup_records.ts";
import { transaction } from "../../store/database/database.ts";
import {
  createBackupDestination,
  type NewBackupDestinationInput,
} from "../destinations/backup_destinations.ts";
import type { ServiceContext } from "../context.ts";
import { serverNames, type TaskLocation, taskLocations } from "../../store/backups/known_backups.ts";
import { internalCaller } from "../access/internal_caller.ts";
import { createRemoteServer } from "../servers/remote_servers.ts";

export interface FoundBackup {
  /** The task that made the backup, as recorded when the backup was made. */
  readonly task: { readonly id: number; readonly label: string };
  /** Host name of the machine that made the backup. */
  readonly hostname: string;
  /** Password that decrypts the backup; null if it has none, or if the password is unknown. */
  readonly password: string | null;
  readonly record: Omit<
    NewBackup,
    | "user_id"
    | "workspace_id"
    | "backup_task_id"
    | "run_id"
    | "backup_destination_id"
    | "remote_server_id"
    | "encryption_password_encrypted"
  >;
  readonly objects: readonly NewBackupObject[];
}

/**
 * Creates a destination, one remote server for each host name in `backups`, and a record of each backup. Adds
 * the oldest backup first. Returns the destination's id, and a map from host names to the servers' ids. After
 * the import, the agents of these servers must be enrolled again.
 *
 * @param addressOf Returns the address of the server that has the given host name.
 */
export async function importBackups(
  services: ServiceContext,
  userId: number,
  destination: NewBackupDestinationInput,
  backups: readonly FoundBackup[],
  addressOf: (hostname: string) => string,
): Promise<{ destinationId: number; servers: Map<string, number> }> {
  const caller = await internalCaller(services, userId);
  const { id: destinationId } = await createBackupDestination(services, caller, destination);
  const servers = new Map<string, number>();
  for (const { hostname } of backups) {
    if (servers.has(hostname)) continue;
    const { id } = await createRemoteServer(services, caller, {
      label: hostname,
      ip_address: addressOf(hostname),
    });
    servers.set(hostname, id);
  }
  await insertFound(
    services,
    backups.map((found) => ({
      found,
      owner: caller,
      taskId: null,
      destinationId,
      serverId: servers.get(found.hostname)!,
    })),
  );
  return { destinationId, servers };
}

/**
 * Adds records of backups that are newer than the state from which this control plane was recovered.
 *
 * Assigns a backup to a task only if it is certain that this task made the backup. Equal task ids are not
 * enough: a second control plane with the same task ids might use the same directory.
 *
 * A backup without a task belongs to the own workspace of the user `userId`. No retention rule ever deletes
 * it. It is assigned to the server whose agent has the host name in the backup's record. If there is no such
 * server, creates one. An agent must then be enrolled for the new server.
 *
 * @param destinationIds The destinations that use the backups' directory; at least one.
 */
export async function importLaterBackups(
  services: ServiceContext,
  userId: number,
  destinationIds: readonly number[],
  backups: readonly FoundBackup[],
): Promise<void> {
  const caller = await internalCaller(services, userId);
  const tasks = new Map((await taskLocations(services.database)).map((task) => [task.id, task]));
  const servers = new Map<string, number>();
  const names = new Map<number, string[]>();
  for (const server of await serverNames(services.database, caller.workspaceId)) {
    names.set(server.id, server.names);
    for (const name of server.names) if (!servers.has(name)) servers.set(name, server.id);
  }
  const located: LocatedBackup[] = [];
  for (const found of backups) {
    const task = tasks.get(found.task.id);
    if (task !== undefined && isMadeBy(found, task, names.get(task.remote_server_id) ?? [])) {
      const own = task.backup_destination_id;
      const destinationId = destinationIds.includes(own) ? own : destinationIds[0]!;
      located.push({
        found,
        owner: ownerOf(task),
        taskId: task.id,
        destinationId,
        serverId: task.remote_server_id,
      });
      continue;
    }
    let serverId = servers.get(found.hostname);
    if (serverId === undefined) {
      const server = { label: found.hostname, ip_address: found.hostname };
      serverId = (await createRemoteServer(services, caller, server)).id;
      servers.set(found.hostname, serverId);
    }
    located.push({ found, owner: caller, taskId: null, destinationId: destinationIds[0]!, serverId });
  }
  await insertFound(services, located);
}

/**
 * Returns whether the task made the backup: the task and the backup's record have the same label, server and
 * directory.
 */
function isMadeBy(
  { task, hostname, record }: FoundBackup,
  known: TaskLocation,
  serverNames: string[],
): boolean {
  return task.label === known.label && serverNames.includes(hostname) &&
    record.directory === destinationDirectory(known.destination, known.store_path);
}

interface LocatedBackup {
  found: FoundBackup;
  owner: Owner;
  taskId: number | null;
  destinationId: number;
  serverId: number;
}

/** Adds records of all backups in one transaction, oldest first. */
async function insertFound(services: ServiceContext, located: readonly LocatedBackup[]): Promise<void> {
  const oldestFirst = located.toSorted((a, b) =>
    a.found.record.created_at.getTime() - b.found.record.created_at.getTime()
  );
  await transaction(services.database, async (sql) => {
    for (const { found, owner, taskId, destinationId, serverId } of oldestFirst) {
      await insertBackup(sql, {
        ...found.record,
        ...ownerColumns(owner),
        backup_task_id: taskId,
        run_id: null,
        backup_destination_id: destinationId,
        remote_server_id: serverId,
        encryption_password_encrypted: services.keyring.encryptOptional(found.password),
      }, found.objects);
    }
  });
}
