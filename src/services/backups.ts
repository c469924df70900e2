/** Backups: what is stored, and how its owner lets go of it. */
import { NotFoundError } from "../domain/errors.ts";
import type { PageWindow } from "../domain/page.ts";
import { type BackupDetailRow, findBackupDetail, listBackups as listRows } from "../store/backups.ts";
import { findBackupTaskOf } from "../store/backup_tasks.ts";
import { transaction } from "../store/database.ts";
import type { Page } from "../store/page.ts";
import type { Caller, Services } from "./context.ts";
import { requestRemoval } from "./removals.ts";

export type { BackupDetailRow };

const RESOURCE = "Backup";

export function listBackups(
  services: Services,
  caller: Caller,
  window: PageWindow,
): Promise<Page<BackupDetailRow>> {
  return listRows(services.database, caller.userId, null, window.offset, window.limit);
}

export async function listBackupsOfTask(
  services: Services,
  caller: Caller,
  taskId: number,
  window: PageWindow,
): Promise<Page<BackupDetailRow>> {
  const task = await findBackupTaskOf(services.database, caller.userId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  return await listRows(services.database, caller.userId, taskId, window.offset, window.limit);
}

export async function showBackup(services: Services, caller: Caller, id: number): Promise<BackupDetailRow> {
  const backup = await findBackupDetail(services.database, caller.userId, id);
  if (backup === undefined) throw new NotFoundError(RESOURCE);
  return backup;
}

/** Marks it for removal; it stays listed until its objects are gone. Marking twice changes nothing. */
export async function deleteBackup(services: Services, caller: Caller, id: number): Promise<void> {
  await transaction(services.database, async (sql) => {
    const backup = await findBackupDetail(sql, caller.userId, id);
    if (backup === undefined) throw new NotFoundError(RESOURCE);
    if (backup.removal_requested_at === null) await requestRemoval(services, sql, [id], "request");
  });
}
