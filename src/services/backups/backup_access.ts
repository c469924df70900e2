/** Checks that a backup can be read: it exists, an agent reaches it, and a secret decrypts it. */
import { identityToRecipient } from "age-encryption";
import { isOnServer } from "../../definitions/destinations/registry.ts";
import { ConflictError, InvalidError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { connectedServersOf, isAgentConnected } from "../../store/agents/agent_requests.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { unmarkRemoval } from "../../store/backups/backup_records.ts";
import {
  type BackupDetailRow,
  type BackupRow,
  findBackupDetail,
  lockBackup,
} from "../../store/backups/backups.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findRemoteServer, type RemoteServerRow } from "../../store/agents/remote_servers.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import type { Caller, ServiceContext } from "../context.ts";

/** The first protocol version with requests that read backups. */
const PROTOCOL = 2;

export interface ReadableBackup {
  readonly backup: BackupDetailRow;
  readonly destination: BackupDestinationRow;
}

/**
 * Finds a backup and its destination. Throws a {@link ConflictError} if the backup is being deleted or in the
 * trash.
 */
export async function findReadable(sql: Sql, caller: Caller, id: number): Promise<ReadableBackup> {
  const backup = await findBackupDetail(sql, caller.workspaceId, id);
  const destination = await findBackupDestination(sql, backup?.backup_destination_id ?? 0);
  if (backup === undefined || destination === undefined) throw new NotFoundError("Backup");
  refuseDeleted(backup);
  return { backup, destination };
}

/**
 * Throws a {@link ConflictError} in two cases: some of the backup's objects might already be deleted, or a
 * user deleted the backup. A backup that only retention has marked for removal is still complete.
 */
export function refuseDeleted(backup: BackupRow): void {
  if (backup.removal_begun_at !== null) throw deletionBegun(backup, "Choose another one");
  if (backup.removal_reason === "request" || backup.removal_reason === "forget") {
    throw new ConflictError(
      "The backup is in the trash. Nothing of it is deleted yet. " +
        "Choose another one, or undo the deletion with " +
        `POST /api/backups/${backup.id}/undelete.`,
    );
  }
}

/**
 * Returns the error for a backup whose objects are being deleted.
 *
 * @param advice The last sentence of the message, without its period, such as `Choose another one`.
 */
export function deletionBegun({ removal_begun_at }: BackupRow, advice: string): ConflictError {
  return new ConflictError(
    `The backup is being deleted since ${
      isoSeconds(removal_begun_at!)
    }, and parts of it may be deleted already. ${advice}.`,
  );
}

/**
 * Locks a backup that a run is about to read, and returns it. Removes retention's mark for removal, if there
 * is one. Throws the errors of {@link findReadable}.
 */
export async function lockReadable(sql: Sql, caller: Caller, id: number): Promise<BackupRow> {
  const backup = await lockBackup(sql, caller.workspaceId, id);
  if (backup === undefined) throw new NotFoundError("Backup");
  refuseDeleted(backup);
  if (backup.removal_requested_at !== null) await unmarkRemoval(sql, [id]);
  return backup;
}

/**
 * Returns the server whose agent should read a backup. Normally this is the server that made it. If that
 * server's agent is not connected, returns a connected server of the backup's workspace that can reach the
 * destination. Throws an {@link UnavailableError} if there is none.
 *
 * @param protocol The minimum protocol version of the agent.
 */
export async function readingServer(
  services: ServiceContext,
  { backup, destination }: ReadableBackup,
  protocol = PROTOCOL,
): Promise<number> {
  if (isOnServer(destination.type)) {
    const holder = await connectedHolder(services, services.database, backup);
    if ((holder.agent_protocol ?? 1) >= protocol) return holder.id;
    throw new ConflictError(
      `The agent of ${holder.label}, which has the backup on its disk, is too old for this. Update it there.`,
    );
  }
  const heardSince = liveSince(services);
  const connected = await connectedServersOf(services.database, backup.workspace_id, protocol, heardSince);
  const own = connected.find((id) => id === backup.remote_server_id);
  if (own !== undefined) return own;
  const other = connected[0];
  if (other !== undefined) return other;
  throw new UnavailableError("No connected agent can read the backup. Start one, and try again.");
}

/** Returns whether the backup is on another server's disk. The agent of that server then has to send it. */
export function isElsewhere(
  backup: Pick<BackupRow, "remote_server_id">,
  destination: Pick<BackupDestinationRow, "type">,
  serverId: number | null,
): boolean {
  return isOnServer(destination.type) && backup.remote_server_id !== serverId;
}

/**
 * Returns the server on whose disk a backup is. Throws an {@link UnavailableError} if the server's agent is
 * not connected. Throws a {@link ConflictError} if the agent is too old, or the server is deleted.
 */
export async function connectedHolder(
  services: ServiceContext,
  sql: Sql,
  backup: Pick<BackupRow, "remote_server_id">,
): Promise<RemoteServerRow> {
  const holder = await findRemoteServer(sql, backup.remote_server_id ?? 0);
  if (holder === undefined) {
    throw new ConflictError(
      "The backup is on the disk of a server that is deleted. Copy its files off that disk; the manifest among them " +
        "says how to restore them.",
    );
  }
  const location = `The backup is on the disk of ${holder.label}`;
  if (!(await isAgentConnected(sql, holder.id, liveSince(services)))) {
    throw new UnavailableError(`${location}, whose agent is not connected. Start it there, and try again.`);
  }
  if ((holder.agent_protocol ?? 1) < PROTOCOL) {
    throw new ConflictError(
      `${location}, whose agent is too old to send it. Update it there, and try again.`,
    );
  }
  return holder;
}

/**
 * Returns the time of the oldest heartbeat that still counts. A replica whose last heartbeat is older is not
 * live, and holds no websockets any more.
 */
function liveSince({ clock }: ServiceContext): Date {
  return new Date(clock.now().getTime() - REPLICA_TIMEOUT);
}

/**
 * Returns the age secret key that decrypts the backup. `identity` can contain several secret keys. Throws an
 * {@link InvalidError} if none of them belongs to one of the backup's recipients. The error never contains a
 * key.
 */
export async function decryptionIdentityOf(backup: BackupRow, identity: string): Promise<string> {
  const refuse = (why: string) => new InvalidError({ identity: [`The identity field ${why}.`] });
  if (backup.encryption !== "recipients") {
    throw refuse("is for backups that are encrypted to recipients, and this one is not");
  }
  const recipients = new Set(backup.encryption_recipients.map((key) => key.toLowerCase()));
  for (const line of secretKeys(identity)) {
    const recipient = await identityToRecipient(line).catch(() => null);
    if (recipient === null) {
      throw refuse("must be an age secret key (AGE-SECRET-KEY-1…), as age-keygen wrote it");
    }
    if (recipients.has(recipient.toLowerCase())) return line;
  }
  throw refuse("holds no key of one of the backup's recipients");
}

/** Returns the secret keys in the text of an `age-keygen` file, without its comment lines. */
function secretKeys(identity: string): string[] {
  return identity.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !line.startsWith("#")
  );
}
