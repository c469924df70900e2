/** Lists, deletes and holds backups. After a review, clears marks as suspicious or damaged. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import type { PageWindow } from "../../domain/page.ts";
import { clearDamage as clearRows, DAMAGE_FINDERS } from "../../store/backups/backup_checks.ts";
import { unmarkRemoval } from "../../store/backups/backup_records.ts";
import { clearSuspicion as clearRow, releaseHold, setHold } from "../../store/backups/backup_retention.ts";
import {
  type BackupDetailRow,
  type BackupFilter,
  type BackupRow,
  findBackupDetail,
  listBackups as listRows,
  lockBackup,
  lockTrashedBackup,
} from "../../store/backups/backups.ts";
import {
  lockDestinationOfBackup,
  setDestinationDeletion,
} from "../../store/destinations/backup_destinations.ts";
import { findBackupTaskOf, recordRetentionChange } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import { deletionBegun } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { endReleasedHolds } from "../../store/backups/trash.ts";
import { deletionTimeNow, noteTrashed, putIntoTrash } from "../retention/trash.ts";

export type { BackupDetailRow };

const RESOURCE = "Backup";

/** Filters and order of a listing. The backup task is a separate parameter. */
export type BackupChoice =
  & Omit<BackupFilter, "taskId" | "status">
  & Partial<Pick<BackupFilter, "status">>
  & ListOrder;

export function listBackups(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  { backup_task_id, status, ...choice }: BackupChoice & { backup_task_id?: number },
): Promise<Page<BackupDetailRow>> {
  const filter = { ...choice, taskId: backup_task_id ?? null, status: status ?? null };
  return listRows(services.database, caller.workspaceId, filter, window.offset, window.limit);
}

export async function listBackupsOfTask(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
  window: PageWindow,
  choice: BackupChoice,
): Promise<Page<BackupDetailRow>> {
  const task = await findBackupTaskOf(services.database, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  return await listBackups(services, caller, window, { ...choice, backup_task_id: taskId });
}

export async function showBackup(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDetailRow> {
  return await detail(services.database, caller, id);
}

/**
 * Puts a backup into the trash, and returns when it will be deleted. The backup stays listed until its
 * objects are removed. With `forget`, only the record is deleted and the objects stay: `forget` is for a
 * destination that no longer exists.
 */
export async function deleteBackup(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { forget = false }: { forget?: boolean } = {},
): Promise<{ deletes_at: Date }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockBackup(sql, caller.workspaceId, id) ?? notFound();
    if (backup.held_at !== null) throw heldError(backup);
    const isGoing = backup.removal_reason === "request" || backup.removal_begun_at !== null;
    if (isGoing && !forget) return { deletes_at: backup.deletes_at ?? services.clock.now() };
    const deletesAt = await putIntoTrash(services, sql, caller, [id], forget ? "forget" : "delete");
    const isKept = backup.removal_reason === "request" && backup.deletes_at !== null;
    return { deletes_at: isKept ? backup.deletes_at! : deletesAt };
  });
}

/**
 * Takes a backup out of the trash. Takes its destination out of the trash too, because the backup can't be
 * read without it. Throws a {@link ConflictError} if the removal has begun, because some objects might
 * already be gone. Does nothing if the backup is not in the trash.
 */
export async function undeleteBackup(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    // Lock the destination before its backup. Deleting a destination with its backups locks them in the same
    // order.
    const destination = await lockDestinationOfBackup(sql, caller.workspaceId, id) ?? notFound();
    const backup = await lockTrashedBackup(sql, caller.workspaceId, id) ?? notFound();
    if (backup.removal_begun_at !== null) throw deletionBegun(backup, "The deletion can't be undone");
    if (backup.removal_requested_at !== null) await unmarkRemoval(sql, [id]);
    if (destination.deletes_at !== null) await setDestinationDeletion(sql, destination.id, null);
    return await detail(sql, caller, id);
  });
}

function heldError({ id, hold_ends_at }: BackupRow): ConflictError {
  return new ConflictError(
    hold_ends_at === null
      ? `The backup is held. Release it with DELETE /api/backups/${id}/hold, then delete it.`
      : `The backup is held until ${isoSeconds(hold_ends_at)}, as its hold was released. Delete it then.`,
  );
}

/**
 * Holds a backup. Until the hold is released, neither retention nor a user can remove the backup. If the
 * backup is marked for removal, removes the mark. Throws a {@link ConflictError} if the removal has begun,
 * because some objects might already be gone.
 */
export async function holdBackup(
  services: ServiceContext,
  caller: Caller,
  id: number,
  reason: string | null,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockBackup(sql, caller.workspaceId, id) ?? notFound();
    if (backup.removal_begun_at !== null) {
      throw deletionBegun(backup, "Hold another one, or run its task again");
    }
    if (backup.removal_requested_at !== null) await unmarkRemoval(sql, [id]);
    await setHold(sql, id, reason, services.clock.now());
    return await detail(sql, caller, id);
  });
}

/**
 * Releases a backup's hold. The hold ends only after a delay, which is as long as records stay in the trash.
 * The delay gives users time to react before retention removes the backup. When the hold has ended, the
 * retention rules of the backup's task apply to the backup again. Does nothing if the backup is not held, or
 * if its hold was already released.
 */
export function releaseBackup(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDetailRow> {
  return update(services, caller, id, async (sql, { held_at, hold_ends_at }) => {
    if (held_at === null || hold_ends_at !== null) return;
    const endsAt = await deletionTimeNow(services, sql);
    await releaseHold(sql, id, endsAt);
    const news = { user_id: caller.userId, event: "release" as const, resource: "backups", ends_at: endsAt };
    await noteTrashed(services, sql, news, [id]);
    await endReleasedHolds(sql, services.clock.now());
  });
}

/**
 * Clears a backup's mark as suspicious after a review. After that, retention is allowed to remove older
 * backups again.
 */
export function clearSuspicion(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDetailRow> {
  return review(services, caller, id, (sql) => clearRow(sql, id));
}

/**
 * Clears a backup's mark as damaged after a review, no matter which check found the damage. The next check
 * might find the damage again.
 */
export function clearDamage(services: ServiceContext, caller: Caller, id: number): Promise<BackupDetailRow> {
  const now = services.clock.now();
  return review(services, caller, id, (sql) => clearRows(sql, id, DAMAGE_FINDERS, now));
}

/**
 * Clears the mark that says that a backup is damaged or suspicious. After that, retention might choose other
 * backups of the task for removal than before. So this change is recorded. Because of the record, retention
 * puts the backups that it chooses into the trash before it removes them.
 */
async function review(
  services: ServiceContext,
  caller: Caller,
  id: number,
  clear: (sql: Sql) => Promise<void>,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    const { backup_task_id, damaged_at, suspicious_at } = await detail(sql, caller, id);
    // Lock the task first, then its backup. The deletion of a task with its backups uses the same order.
    if (backup_task_id !== null && (damaged_at !== null || suspicious_at !== null)) {
      await recordRetentionChange(sql, backup_task_id, services.clock.now());
    }
    if (await lockBackup(sql, caller.workspaceId, id) === undefined) notFound();
    await clear(sql);
    return await detail(sql, caller, id);
  });
}

async function update(
  services: ServiceContext,
  caller: Caller,
  id: number,
  change: (sql: Sql, backup: BackupRow) => Promise<void>,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    await change(sql, await lockBackup(sql, caller.workspaceId, id) ?? notFound());
    return await detail(sql, caller, id);
  });
}

async function detail(sql: Sql, caller: Caller, id: number): Promise<BackupDetailRow> {
  return await findBackupDetail(sql, caller.workspaceId, id) ?? notFound();
}

function notFound(): never {
  throw new NotFoundError(RESOURCE);
}
