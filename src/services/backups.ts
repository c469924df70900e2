/** Backups: what is stored, and how its owner lets go of it. */
import { ConflictError, NotFoundError } from "../domain/errors.ts";
import type { PageWindow } from "../domain/page.ts";
import { clearDamage as clearRows, DAMAGE_FINDERS } from "../store/backup_checks.ts";
import { takeMarksBack } from "../store/backup_records.ts";
import { clearHold, clearSuspicion as clearRow, setHold } from "../store/backup_retention.ts";
import {
  type BackupDetailRow,
  type BackupFilter,
  findBackupDetail,
  listBackups as listRows,
  lockBackup,
} from "../store/backups.ts";
import { findBackupTaskOf } from "../store/backup_tasks.ts";
import { type Sql, transaction } from "../store/database.ts";
import type { Page } from "../store/page.ts";
import { deletionBegun } from "./backup_reading.ts";
import type { Caller, Services } from "./context.ts";
import { requestRemoval } from "./removals.ts";

export type { BackupDetailRow };

const RESOURCE = "Backup";

export function listBackups(
  services: Services,
  caller: Caller,
  window: PageWindow,
  status: BackupFilter["status"],
): Promise<Page<BackupDetailRow>> {
  const filter = { taskId: null, status };
  return listRows(services.database, caller.userId, filter, window.offset, window.limit);
}

export async function listBackupsOfTask(
  services: Services,
  caller: Caller,
  taskId: number,
  window: PageWindow,
  status: BackupFilter["status"],
): Promise<Page<BackupDetailRow>> {
  const task = await findBackupTaskOf(services.database, caller.userId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  return await listRows(services.database, caller.userId, { taskId, status }, window.offset, window.limit);
}

export async function showBackup(services: Services, caller: Caller, id: number): Promise<BackupDetailRow> {
  return await detail(services.database, caller, id);
}

/** Marks it for removal; it stays listed until its objects are gone. Marking twice changes nothing. */
export async function deleteBackup(services: Services, caller: Caller, id: number): Promise<void> {
  await transaction(services.database, async (sql) => {
    const backup = await lockBackup(sql, caller.userId, id) ?? notFound();
    if (backup.held_at !== null) {
      throw new ConflictError(
        `The backup is held. Release it with DELETE /api/backups/${id}/hold, then delete it.`,
      );
    }
    if (backup.removal_reason !== "request") await requestRemoval(services, sql, [id], "request");
  });
}

/**
 * Neither retention nor its owner removes it until it is released. Takes back what marked it for removal; refused once something of it may
 * be gone.
 */
export async function holdBackup(
  services: Services,
  caller: Caller,
  id: number,
  reason: string | null,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockBackup(sql, caller.userId, id) ?? notFound();
    if (backup.removal_begun_at !== null) {
      throw deletionBegun(backup, "Hold another one, or run its task again");
    }
    if (backup.removal_requested_at !== null) await takeMarksBack(sql, [id]);
    await setHold(sql, id, reason, services.clock.now());
    return await detail(sql, caller, id);
  });
}

/** From now on it is kept or removed as its task's rules say. One that is not held is left as it is. */
export function releaseBackup(services: Services, caller: Caller, id: number): Promise<BackupDetailRow> {
  return changed(services, caller, id, clearHold);
}

/** A person has looked at it and takes it for good: what is older may go again as the rules say. */
export function clearSuspicion(services: Services, caller: Caller, id: number): Promise<BackupDetailRow> {
  return changed(services, caller, id, clearRow);
}

/** A person has looked at it and takes it for whole, whoever found otherwise. The next that does finds it again. */
export function clearDamage(services: Services, caller: Caller, id: number): Promise<BackupDetailRow> {
  const now = services.clock.now();
  return changed(services, caller, id, (sql) => clearRows(sql, id, DAMAGE_FINDERS, now));
}

async function changed(
  services: Services,
  caller: Caller,
  id: number,
  change: (sql: Sql, id: number) => Promise<void>,
): Promise<BackupDetailRow> {
  return await transaction(services.database, async (sql) => {
    if (await lockBackup(sql, caller.userId, id) === undefined) notFound();
    await change(sql, id);
    return await detail(sql, caller, id);
  });
}

async function detail(sql: Sql, caller: Caller, id: number): Promise<BackupDetailRow> {
  return await findBackupDetail(sql, caller.userId, id) ?? notFound();
}

function notFound(): never {
  throw new NotFoundError(RESOURCE);
}
