/**
 * Builds the wire form of a stored request, with the secrets and signed URLs that are sent but never stored.
 */
import { NotFoundError } from "../../domain/errors.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { objectKey } from "../../domain/location.ts";
import type { SignedObject } from "../../protocol/browsing.ts";
import type { BackupToRead } from "../../protocol/job.ts";
import type { AgentRequest } from "../../protocol/wire_messages.ts";
import { isStorageType } from "../../storage/registry.ts";
import { findRemoteServer } from "../../store/agents/remote_servers.ts";
import type { RequestPayload } from "../../store/agents/agent_requests.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { type BackupDetailRow, findBackupToRead, indexedBackups } from "../../store/backups/backups.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ServiceContext } from "../context.ts";
import { jobDestinationOfDraft } from "../jobs/destination_drafts.ts";
import { jobDestination } from "../jobs/jobs.ts";
import { backupToRead, restoreParts } from "../jobs/restore_jobs.ts";
import { bucketOf } from "../transfers/uploads.ts";
import { databasesRequest } from "./databases_request.ts";

/** Validity of a presigned URL, in seconds; longer than the agent's time limit. */
const URL_SECONDS = 3600;

/**
 * Builds the wire form of a request. Throws a `NotFoundError` if the backup or destination is deleted. Throws
 * a `SecretError` if a secret can't be decrypted.
 */
export async function buildWireRequest(
  services: ServiceContext,
  sql: Sql,
  payload: RequestPayload,
  secret: string | null,
): Promise<AgentRequest> {
  const { keyring } = services;
  if (payload.kind === "server.browse") {
    const { kind, path, offset, limit, search } = payload;
    return { kind, path, offset, limit, ...search === undefined ? {} : { search } };
  }
  if (payload.kind === "server.databases") return await databasesRequest(sql, payload, secret, keyring);
  if (payload.kind === "server.inventory") {
    const server = await findRemoteServer(sql, payload.remote_server_id);
    const password = keyring.decryptOptional(server?.database_password_encrypted ?? null);
    return { kind: payload.kind, password };
  }
  const { backup_destination_id: destinationId } = payload;
  if (destinationId === null) {
    return { kind: "destination.check", destination: jobDestinationOfDraft(secret!) };
  }
  const destination = await findBackupDestination(sql, destinationId);
  if (destination === undefined) throw new NotFoundError("Backup destination");
  switch (payload.kind) {
    case "destination.check": {
      const directory = destinationDirectory(destination, null);
      return { kind: payload.kind, destination: jobDestination(destination, directory, keyring) };
    }
    case "destination.delete":
      return {
        kind: payload.kind,
        destination: jobDestination(destination, payload.directory, keyring),
        names: payload.names,
        // Requests that were queued before an upgrade have no witnesses.
        witnesses: payload.witnesses ?? [],
      };
    case "backup.browse": {
      const backup = await findBackupToRead(sql, payload.backup_id);
      if (backup === undefined) throw new NotFoundError("Backup");
      const { kind, path, offset, limit, search } = payload;
      const names = backup.objects.filter(({ role }) => role === "index").map(({ name }) => name);
      return {
        kind,
        backup: backupToRead(backup, destination, keyring, secret),
        signed: await signObjects(services, backup, destination, names),
        path,
        offset,
        limit,
        ...search === undefined ? {} : { search },
      };
    }
    case "restore.preview": {
      const backup = await findBackupToRead(sql, payload.backup_id);
      if (backup === undefined) throw new NotFoundError("Backup");
      const names = backup.objects.filter(({ role }) => role !== "archive").map(({ name }) => name);
      return {
        kind: payload.kind,
        ...await restoreParts(sql, payload, keyring, secret),
        signed: await signObjects(services, backup, destination, names),
      };
    }
    case "backup.find": {
      const { kind, pattern, limit, time_limit_ms } = payload;
      const backups: BackupToRead[] = [];
      const signed: SignedObject[] = [];
      for (const backup of await indexedBackups(sql, payload.backup_ids)) {
        // Leave out a backup whose removal began after the request was made.
        if (backup.objects.length === 0 || backup.removal_begun_at !== null) continue;
        backups.push(backupToRead(backup, destination, keyring, secret));
        signed.push(
          ...await signObjects(services, backup, destination, backup.objects.map(({ name }) => name)),
        );
      }
      if (backups.length === 0) throw new NotFoundError("Backup");
      return { kind, backups, signed, pattern, limit, time_limit_ms };
    }
    case "backup.send": {
      const backup = await findBackupToRead(sql, payload.backup_id);
      if (backup === undefined) throw new NotFoundError("Backup");
      const { kind, what, range, stream } = payload;
      const readable = backupToRead(backup, destination, keyring, secret);
      return {
        kind,
        // The agent needs the key only to send a file from inside the backup. It sends stored objects without
        // decrypting them.
        backup: what.type === "file" ? readable : { ...readable, key: null },
        signed: await signObjects(services, backup, destination, backup.objects.map(({ name }) => name)),
        what,
        range,
        stream,
      };
    }
  }
}

/**
 * Returns each object's name and presigned URL; an empty list if the agent can reach the destination by
 * itself.
 */
async function signObjects(
  services: ServiceContext,
  { directory }: BackupDetailRow,
  destination: BackupDestinationRow,
  names: readonly string[],
): Promise<SignedObject[]> {
  if (!isStorageType(destination.type)) return [];
  const bucket = bucketOf(destination, services);
  return await Promise.all(names.map(async (name) => ({
    name,
    url: await bucket.signGet(objectKey(directory, name), URL_SECONDS),
    expires_in_ms: URL_SECONDS * 1000,
  })));
}
