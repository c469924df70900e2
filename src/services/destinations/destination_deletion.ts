/** Puts backup destinations into the trash, with or without their backups, and takes them out of it. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import {
  type BackupDestinationRow,
  countDestinationUses,
  type DestinationUses,
  findBackupDestinationOf,
  lockBackupDestination,
  lockBackupsAt,
  lockTrashedDestination,
  setDestinationDeletion,
} from "../../store/destinations/backup_destinations.ts";
import { restoreForgotten } from "../../store/backups/backup_records.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";
import { deletionTimeNow, noteTrashed, putIntoTrash } from "../retention/trash.ts";

const RESOURCE = "Backup destination";

/**
 * Puts a destination into the trash, and returns when it will be deleted. Throws a {@link ConflictError}
 * while a task uses the destination, while backups are stored there, or while a run might still write to it.
 * With `forget`, stored backups do not prevent the deletion: their records are deleted too. Use `forget` for
 * a destination that is gone for good.
 */
export async function deleteBackupDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { forget = false }: { forget?: boolean } = {},
): Promise<{ deletes_at: Date }> {
  return await transaction(services.database, async (sql) => {
    if (await lockBackupDestination(sql, caller.workspaceId, id) === undefined) {
      throw new NotFoundError(RESOURCE);
    }
    refuseUsed(id, await countDestinationUses(sql, id), forget);
    if (forget) await forgetBackups(services, sql, caller, id);
    const deletesAt = await deletionTimeNow(services, sql);
    await setDestinationDeletion(sql, id, deletesAt);
    const news = { user_id: caller.userId, event: forget ? "forget" : "delete", ends_at: deletesAt } as const;
    await noteTrashed(services, sql, { ...news, resource: "backup-destinations" }, [id]);
    return { deletes_at: deletesAt };
  });
}

/**
 * Takes a destination out of the trash. If records of its backups were put into the trash with it, takes them
 * out too. Does nothing if the destination is not in the trash.
 */
export async function undeleteBackupDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDestinationRow> {
  return await transaction(services.database, async (sql) => {
    const row = await lockTrashedDestination(sql, caller.workspaceId, id);
    if (row === undefined) throw new NotFoundError(RESOURCE);
    if (row.deletes_at !== null) {
      const forgotten = (await lockBackupsAt(sql, id)).filter(({ is_forgotten }) => is_forgotten);
      await restoreForgotten(sql, forgotten.map((backup) => backup.id));
      await setDestinationDeletion(sql, id, null);
    }
    return (await findBackupDestinationOf(sql, caller.workspaceId, id))!;
  });
}

function refuseUsed(id: number, { tasks, backups, runs, uploads }: DestinationUses, forget: boolean): void {
  const parts = [];
  if (tasks > 0) parts.push(`is used by ${pluralize(tasks, "backup task")}`);
  if (backups > 0 && !forget) parts.push(`holds ${pluralize(backups, "backup")}`);
  const advice = backups > 0 && !forget
    ? ` If it is gone for good, DELETE /api/backup-destinations/${id}?forget=true drops the records of its backups.`
    : "";
  if (parts.length > 0) {
    throw new ConflictError(
      `The backup destination ${parts.join(" and ")}. Delete or move those first, then delete it.${advice}`,
    );
  }
  const writing = forget ? runs : runs + uploads;
  if (writing === 0) return;
  throw new ConflictError(
    `The backup destination is written to by ${
      pluralize(writing, "run")
    }. Delete it when they have finished` +
      (runs === 0 ? `, or, if it is gone for good, with ?forget=true.` : ", or cancel them first."),
  );
}

async function forgetBackups(services: ServiceContext, sql: Sql, caller: Caller, id: number): Promise<void> {
  const backups = await lockBackupsAt(sql, id);
  const held = backups.filter(({ is_held }) => is_held).length;
  if (held > 0) {
    throw new ConflictError(
      `The backup destination holds ${pluralize(held, "backup")} that ${held === 1 ? "is" : "are"} held. ` +
        "Release them with DELETE /api/backups/{id}/hold first.",
    );
  }
  if (backups.length > 0) await putIntoTrash(services, sql, caller, backups.map((each) => each.id), "forget");
}
