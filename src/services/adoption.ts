/** Backups that were found at their destination, and are in no record. */
import { ABILITIES } from "../domain/abilities.ts";
import { insertBackup, type NewBackup, type NewBackupObject } from "../store/backup_records.ts";
import { transaction } from "../store/database.ts";
import { createBackupDestination, type NewBackupDestinationInput } from "./backup_destinations.ts";
import type { Caller, Services } from "./context.ts";
import { createRemoteServer } from "./remote_servers.ts";

export interface FoundBackup {
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
 * Enters a destination, one remote server a hostname, and every backup, oldest first. The servers wait for their agents:
 * each is enrolled anew.
 *
 * @param addressOf What a server is reached by.
 */
export async function adoptBackups(
  services: Services,
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
  const oldestFirst = backups.toSorted((a, b) =>
    a.record.created_at.getTime() - b.record.created_at.getTime()
  );
  await transaction(services.database, async (sql) => {
    for (const { hostname, password, record, objects } of oldestFirst) {
      await insertBackup(sql, {
        ...record,
        user_id: userId,
        backup_task_id: null,
        run_id: null,
        backup_destination_id: destinationId,
        remote_server_id: servers.get(hostname)!,
        encryption_password_encrypted: services.keyring.encryptOptional(password),
      }, objects);
    }
  });
  return { destinationId, servers };
}
