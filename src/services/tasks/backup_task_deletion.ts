/** Deletes backup tasks, alone or with their backups. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { lockStoredBackups } from "../../store/backups/backup_retention.ts";
import { hasActiveBackupRun, lockBackupTask } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";
import { deleteRecord, undeleteRecord } from "../retention/deleted_records.ts";
import { putIntoTrash } from "../retention/trash.ts";
import { type BackupTaskDetail, showBackupTask } from "./backup_tasks.ts";

const RESOURCE = "Backup task";

/**
 * Deletes a task. Normally, its backups stay and then belong to no task. With `withBackups`, its backups go
 * to the trash. Returns until when the deletion can be undone.
 *
 * Throws a {@link ConflictError} if a backup run of the task is active. With `withBackups`, throws this error
 * also if one of the backups is held.
 */
export async function deleteBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
  withBackups: boolean,
): Promise<{ deletes_at: Date }> {
  return await transaction(services.database, async (sql) => {
    if (await lockBackupTask(sql, caller.workspaceId, id) === undefined) throw new NotFoundError(RESOURCE);
    if (await hasActiveBackupRun(sql, id)) {
      throw new ConflictError(
        "The backup task is queued or running. Cancel its run, or wait until it has finished, then delete it.",
      );
    }
    if (withBackups) await trashBackups(services, sql, caller, id);
    return { deletes_at: await deleteRecord(services, sql, caller, { kind: "backup-tasks", id }) };
  });
}

/**
 * Undoes the deletion of a task. Its backups belong to it again, also those that went to the trash together
 * with it.
 */
export function undeleteBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupTaskDetail> {
  return undeleteRecord(services, caller, { kind: "backup-tasks", id }, showBackupTask);
}

async function trashBackups(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  taskId: number,
): Promise<void> {
  const stored = await lockStoredBackups(sql, taskId);
  const held = stored.filter((backup) => backup.held).length;
  if (held > 0) {
    throw new ConflictError(
      `${pluralize(held, "backup")} of the task ${held === 1 ? "is" : "are"} held. ` +
        "Release what is held, or delete the task without its backups.",
    );
  }
  if (stored.length === 0) return;
  await putIntoTrash(services, sql, caller, stored.map((backup) => backup.id), "delete");
}
