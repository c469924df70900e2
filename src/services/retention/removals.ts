/**
 * Removes the objects of backups that are marked for removal: deletes them, confirms that they are gone, and
 * retries failed removals later.
 */
import { UnavailableError } from "../../domain/errors.ts";
import { isOnServer } from "../../definitions/destinations/registry.ts";
import { objectKey } from "../../domain/location.ts";
import { decideRetention } from "../../domain/retention.ts";
import { logger } from "../../telemetry/logging.ts";
import { isStorageType } from "../../storage/registry.ts";
import type { Bucket } from "../../storage/s3.ts";
import { StorageError } from "../../storage/storage_error.ts";
import { SecretError } from "../../secrets/keyring.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import {
  claimRemovals,
  deleteBackupRecord,
  deleteForgottenRecord,
  markForRemoval,
  nextRemovalAt,
  postponeRemoval,
  tasksWithRevocableMarks,
  unmarkRemoval,
  witnessesOf,
} from "../../store/backups/backup_records.ts";
import {
  lockRetention,
  lockRevocableBackups,
  lockStoredBackups,
} from "../../store/backups/backup_retention.ts";
import { findBackupTask } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  claimLeftovers,
  deleteLeftover,
  insertUploadLeftovers,
  postponeLeftover,
  runsWithForgottenUploads,
} from "../../store/backups/leftovers.ts";
import { notify } from "../../store/database/event_bus.ts";
import { NothingDoneError, requestAgent } from "../agent_rpc/agent_requests.ts";
import { enterAudit, NO_ORIGIN } from "../access/audit_log.ts";
import type { ServiceContext } from "../context.ts";
import { trashByChangedRules } from "./trash.ts";
import { bucketOf, removeUpload } from "../transfers/uploads.ts";

/** How long a replica has a removal to itself, in milliseconds. Then another replica is allowed to try. */
const REMOVAL_LEASE = 5 * 60_000;
const AGENT_TIMEOUT = 60_000;
/** Maximum delay between two attempts of a removal, in milliseconds. */
export const MAX_REMOVAL_DELAY = 6 * 3_600_000;

/**
 * Marks backups for immediate removal, in the caller's transaction. The caller must have locked the backups
 * and checked that none is held. Backups that users delete are not marked here: `putIntoTrash` puts them into
 * the trash.
 */
export async function requestRemoval(
  services: Pick<ServiceContext, "clock">,
  sql: Sql,
  backupIds: readonly number[],
  reason: "retention" | "request",
): Promise<void> {
  if (backupIds.length === 0) return;
  await markForRemoval(sql, backupIds, reason, services.clock.now());
  await notify(sql, { topic: "removal_due" });
}

/**
 * Marks a task's backups for removal if no retention rule keeps them. Called when a run has stored a new
 * backup. If the new backup is suspicious, marks none, because the older backups might be needed for a
 * restore.
 */
export async function requestRetention(services: ServiceContext, sql: Sql, taskId: number): Promise<void> {
  const task = await findBackupTask(sql, taskId);
  if (task === undefined) return;
  // Two runs of a task might store backups at the same time, if one of them was lost. With this lock, the run
  // that gets the lock second sees the backup of the first run.
  await lockRetention(sql, taskId);
  const at = { timezone: task.timezone, now: services.clock.now() };
  const going = decideRetention(await lockStoredBackups(sql, taskId), task, at)
    .filter(({ reasons }) => reasons.length === 0).map(({ backup }) => backup.id);
  if (going.length === 0) return;
  if (!await trashByChangedRules(services, sql, task, going)) {
    await requestRemoval(services, sql, going, "retention");
  }
  for (const resourceId of going) {
    await enterAudit(services, {
      actor: { type: "system" },
      action: "deleteBackup",
      resource: "backups",
      resourceId,
      result: "done",
      reason: "No rule of its task keeps it.",
      origin: NO_ORIGIN,
    }, sql);
  }
}

/**
 * Applies the retention rules again right before objects are deleted. This is needed because the rules'
 * result can change after a backup was marked: a newer backup might have been found damaged. Unmarks backups
 * that the rules now keep. Returns the ids of the backups that stay marked, and locks the rows of these
 * backups.
 */
async function confirmMarks(sql: Sql, now: Date, limit: number): Promise<number[]> {
  const confirmed: number[] = [];
  for (const taskId of await tasksWithRevocableMarks(sql, now, limit)) {
    const task = await findBackupTask(sql, taskId);
    if (task === undefined) continue;
    const decisions = decideRetention(await lockRevocableBackups(sql, taskId), task, {
      timezone: task.timezone,
      now,
    }).filter(({ backup }) => backup.is_marked);
    const idsOf = (going: boolean) =>
      decisions.filter(({ reasons }) => (reasons.length === 0) === going).map(({ backup }) => backup.id);
    await unmarkRemoval(sql, idsOf(false));
    confirmed.push(...idsOf(true));
  }
  return confirmed;
}

/** Attempts one batch of removals that are due. Returns the number of attempted removals. */
export async function removeDue(services: ServiceContext, limit = 16): Promise<number> {
  const { clock, database } = services;
  const now = clock.now();
  const leaseUntil = new Date(now.getTime() + REMOVAL_LEASE);
  const [backups, leftovers] = await transaction(database, async (sql) => [
    await claimRemovals(sql, now, leaseUntil, limit, await confirmMarks(sql, now, limit)),
    await claimLeftovers(sql, now, leaseUntil, limit),
  ]);
  await Promise.all([
    ...backups.map(async (backup) => {
      if (backup.is_forgotten) return await deleteForgottenRecord(database, backup.id, leaseUntil);
      const failure = await attempt(
        services,
        backup.backup_destination_id,
        (destination) =>
          removeObjects(services, destination, { ...backup, serverId: backup.remote_server_id }),
      );
      if (failure === null) return await deleteBackupRecord(database, backup.id);
      const isWhole = backup.is_whole && failure.isWhole;
      const next = nextAttempt(now, backup.removal_attempts);
      await postponeRemoval(database, backup.id, { error: failure.error, leaseUntil, next, isWhole });
    }),
    ...leftovers.map(async (leftover) => {
      const failure = await attempt(
        services,
        leftover.backup_destination_id,
        (destination) =>
          leftover.upload_id !== null
            ? removeUpload(services, leftover.upload_id)
            : removeObjects(services, destination, {
              id: null,
              serverId: leftover.remote_server_id,
              directory: leftover.directory,
              names: [leftover.name],
            }),
      );
      if (failure === null) await deleteLeftover(database, leftover.id);
      else await postponeLeftover(database, leftover.id, failure.error, nextAttempt(now, leftover.attempts));
    }),
  ]);
  return backups.length + leftovers.length;
}

/** Records uploads as leftovers if their run was lost so long ago that no verdict is expected any more. */
export async function noteForgottenUploads(services: ServiceContext): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    const before = new Date(now.getTime() - runTimes.start);
    for (const { attempt, id } of await runsWithForgottenUploads(sql, before)) {
      await insertUploadLeftovers(sql, id, attempt, false, now);
    }
  });
}

interface RemovalFailure {
  /** Why the removal failed, in one line. */
  readonly error: string;
  /** Whether it is certain that no object was deleted. */
  readonly isWhole: boolean;
}

/** Attempts a removal. Returns null on success, and the failure if it fails. */
async function attempt(
  services: ServiceContext,
  destinationId: number,
  remove: (destination: BackupDestinationRow) => Promise<void>,
): Promise<RemovalFailure | null> {
  const destination = await findBackupDestination(services.database, destinationId);
  if (destination === undefined) return { error: "Its backup destination is deleted.", isWhole: true };
  try {
    await remove(destination);
    return null;
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof StorageError) {
      return { error: error.message, isWhole: error instanceof NothingDoneError };
    }
    // The destination's secrets could not be decrypted, so the destination was not accessed and nothing was
    // deleted.
    if (error instanceof SecretError) return { error: error.message, isWhole: true };
    throw error;
  }
}

interface ObjectsToRemove {
  /** Id of the backup that the objects belong to; null for a leftover. */
  readonly id: number | null;
  readonly serverId: number | null;
  readonly directory: string;
  readonly names: readonly string[];
}

/**
 * Deletes objects and resolves when all of them are confirmed to be gone. Throws a {@link NothingDoneError}
 * if it is certain that no object was deleted. If some objects might have been deleted, throws an
 * `UnavailableError` or a `StorageError`.
 */
async function removeObjects(
  services: ServiceContext,
  destination: BackupDestinationRow,
  { id, serverId, directory, names }: ObjectsToRemove,
): Promise<void> {
  const location = {
    destinationId: destination.id,
    directory,
    serverId: isOnServer(destination.type) ? serverId : null,
  };
  const witnesses = await witnessesOf(services.database, location, id);
  if (isStorageType(destination.type)) {
    return await removeFromBucket(bucketOf(destination, services), directory, names, witnesses);
  }
  if (serverId === null) {
    throw new NothingDoneError(
      "The server whose agent could remove it is deleted. Remove its files by hand.",
    );
  }
  const { deleted, failed } = await requestAgent(services, serverId, {
    kind: "destination.delete",
    backup_destination_id: destination.id,
    directory,
    names: [...names],
    witnesses,
  }, AGENT_TIMEOUT);
  const [first] = failed;
  if (first !== undefined) {
    const message = `${first.name}: ${first.message}`;
    throw failed.length === names.length ? new NothingDoneError(message) : new UnavailableError(message);
  }
  const gone = new Set(deleted);
  const unconfirmed = names.find((name) => !gone.has(name));
  if (unconfirmed !== undefined) {
    throw new UnavailableError(`${unconfirmed}: the agent did not confirm its deletion.`);
  }
}

/** Logs that the bucket keeps a deleted object as an older version. Older versions still cost storage. */
function noteKeptVersion(name: string): void {
  logger("removals").warn(
    "The bucket keeps a version of {name}, which was deleted: let its access key list and delete versions, or a lifecycle " +
      "rule expire them",
    { name },
  );
}

async function removeFromBucket(
  bucket: Bucket,
  directory: string,
  names: readonly string[],
  witnesses: readonly string[],
): Promise<void> {
  let wasThere = false;
  for (const [index, name] of names.entries()) {
    try {
      const removed = await bucket.remove(objectKey(directory, name));
      wasThere ||= removed.wasThere;
      if (removed.kept) noteKeptVersion(name);
    } catch (error) {
      throw index === 0 && isRefusal(error) ? new NothingDoneError(error.message, { cause: error }) : error;
    }
  }
  if (wasThere || witnesses.length === 0) return;
  for (const name of witnesses) if (await bucket.head(objectKey(directory, name)) !== null) return;
  throw new NothingDoneError(
    `Cannot tell whether ${
      names[0]
    } was deleted: the bucket holds none of the other backups that should be there ` +
      `(${witnesses[0]}). Check the destination's bucket and endpoint.`,
  );
}

/**
 * Returns whether the bucket refused to delete an object, for example because of an object lock. A network
 * error is no refusal, because the bucket might have deleted the object.
 */
function isRefusal(error: unknown): error is StorageError {
  return error instanceof StorageError && !["Network", "Timeout", "Answer"].includes(error.code);
}

/** Returns the time of the next attempt. The delay starts at a minute and doubles up to six hours. */
function nextAttempt(now: Date, attempts: number): Date {
  return new Date(now.getTime() + Math.min(60_000 * 2 ** attempts, MAX_REMOVAL_DELAY));
}

/** Returns when the next removal is due; null if there is none. */
export function nextRemoval(services: ServiceContext): Promise<Date | null> {
  return nextRemovalAt(services.database);
}
