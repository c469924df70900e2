/** Backups that were found at their destination, and are in no record. */
import { ABILITIES } from "../../domain/abilities.ts";
import { destinationDirectory } from "../../domain/location.ts";
import { insertBackup, type NewBackup, type NewBackupObject } from "../../store/backups/backup_records.ts";
import { transaction } from "../../store/database/database.ts";
import {
  createBackupDestination,
  type NewBackupDestinationInput,
} from "../destinations/backup_destinations.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { serverNames, type TaskLocation, taskLocations } from "../../store/backups/known_backups.ts";
import { createRemoteServer } from "../servers/remote_servers.ts";

export interface FoundBackup {
  /** That made it, in the control plane that had it, as it was called then. */
  readonly task: { readonly id: number; readonly label: string };
  /** Of the machine that made it. */
  readonly hostname: string;
  /** What opens it; null where there is none, or it is not known. */
  readonly password: string | null;
  readonly record: Omit<
    NewBackup,
    | "user_id"
    | "backup_task_id"
    | "run_id"
    | "backup_destination_id"
    | "remote_server_id"
    | "encryption_password_encrypted"
  >;
  readonly objects: readonly NewBackupObject[];
}

/**
 * Enters a destination, one remote server a hostname, and every backup, oldest first. The servers wait for
 * their agents: each is enrolled anew.
 *
 * @param addressOf What a server is reached by.
 */
export async function importBackups(
  services: ServiceContext,
  userId: number,
  destination: NewBackupDestinationInput,
  backups: readonly FoundBackup[],
  addressOf: (hostname: string) => string,
): Promise<{ destinationId: number; servers: Map<string, number> }> {
  const caller: Caller = { userId, tokenId: 0, isAdmin: true, abilities: new Set(ABILITIES) };
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
      userId,
      taskId: null,
      destinationId,
      serverId: servers.get(found.hostname)!,
    })),
  );
  return { destinationId, servers };
}

/**
 * Enters backups that were made after the state that this control plane was recovered from: as those of their
 * tasks, where they are without a doubt. Another control plane may keep its backups in the same place, and
 * its tasks have the same numbers: what is not this one's task's belongs to no task, so that no rule deletes
 * it. It belongs to the user, and to the server whose agent has its hostname; where there is none, to one
 * that waits for its agent.
 *
 * @param destinationIds Those of the place that they lie in; not empty.
 */
export async function importLaterBackups(
  services: ServiceContext,
  userId: number,
  destinationIds: readonly number[],
  backups: readonly FoundBackup[],
): Promise<void> {
  const caller: Caller = { userId, tokenId: 0, isAdmin: true, abilities: new Set(ABILITIES) };
  const tasks = new Map((await taskLocations(services.database)).map((task) => [task.id, task]));
  const servers = new Map<string, number>();
  const names = new Map<number, string[]>();
  for (const server of await serverNames(services.database, userId)) {
    names.set(server.id, server.names);
    for (const name of server.names) if (!servers.has(name)) servers.set(name, server.id);
  }
  const places: LocatedBackup[] = [];
  for (const found of backups) {
    const task = tasks.get(found.task.id);
    if (task !== undefined && isOf(found, task, names.get(task.remote_server_id) ?? [])) {
      const own = task.backup_destination_id;
      const destinationId = destinationIds.includes(own) ? own : destinationIds[0]!;
      places.push({
        found,
        userId: task.user_id,
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
    places.push({ found, userId, taskId: null, destinationId: destinationIds[0]!, serverId });
  }
  await insertFound(services, places);
}

/** Under its name, from its server, where the task has its backups. */
function isOf({ task, hostname, record }: FoundBackup, known: TaskLocation, serverNames: string[]): boolean {
  return task.label === known.label && serverNames.includes(hostname) &&
    record.directory === destinationDirectory(known.destination, known.store_path);
}

interface LocatedBackup {
  found: FoundBackup;
  userId: number;
  taskId: number | null;
  destinationId: number;
  serverId: number;
}

/** The oldest first, all or none. */
async function insertFound(services: ServiceContext, places: readonly LocatedBackup[]): Promise<void> {
  const oldestFirst = places.toSorted((a, b) =>
    a.found.record.created_at.getTime() - b.found.record.created_at.getTime()
  );
  await transaction(services.database, async (sql) => {
    for (const { found, userId, taskId, destinationId, serverId } of oldestFirst) {
      await insertBackup(sql, {
        ...found.record,
        user_id: userId,
        backup_task_id: taskId,
        run_id: null,
        backup_destination_id: destinationId,
        remote_server_id: serverId,
        encryption_password_encrypted: services.keyring.encryptOptional(found.password),
      }, found.objects);
    }
  });
}
