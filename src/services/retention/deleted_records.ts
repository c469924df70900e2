/** Deletes tasks, streams, scripts and tags so that the deletion can be undone for some time. */
import { ConflictError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { planRun, type Schedule } from "../../domain/schedules/schedule.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import { unmarkRemoval } from "../../store/backups/backup_records.ts";
import {
  backupsTrashedWith,
  type DeletedKind,
  type DeletedRecordRow,
  insertAgain,
  listDeletedRecords as listRows,
  lockDeletedRecord,
  moveToDeleted,
  type StoredRecord,
} from "../../store/backups/deleted_records.ts";
import { findUser } from "../../store/access/users.ts";
import { findBackupDestinationOf } from "../../store/destinations/backup_destinations.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findScriptOf } from "../../store/tasks/scripts.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { refreshProtection } from "../tasks/protection.ts";
import { deletionTimeNow } from "./trash.ts";

export type { DeletedKind, DeletedRecordRow };
export { DELETED_KINDS } from "../../store/backups/deleted_records.ts";

/**
 * Deletes a record, in the caller's transaction. The caller must have locked it. Returns until when the
 * deletion can be undone.
 */
export async function deleteRecord(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  record: { kind: DeletedKind; id: number },
): Promise<Date> {
  const deletesAt = await deletionTimeNow(services, sql);
  await moveToDeleted(sql, { ...record, userId: caller.userId }, { now: services.clock.now(), deletesAt });
  await notify(sql, { topic: "removal_due" });
  return deletesAt;
}

/**
 * Undoes the deletion of a record: inserts it again as it was. Does nothing if the record is not deleted.
 * Calls `show` and returns its result. Throws a {@link ConflictError} if a record that a task needs, such as
 * its server, is gone.
 */
export async function undeleteRecord<T>(
  services: ServiceContext,
  caller: Caller,
  record: { kind: DeletedKind; id: number },
  show: (services: ServiceContext, caller: Caller, id: number) => Promise<T>,
): Promise<T> {
  await transaction(services.database, async (sql) => {
    const stored = await lockDeletedRecord(sql, caller.workspaceId, record, services.clock.now());
    if (stored === undefined) return;
    const [row] = Object.values(stored.rows)[0]!;
    const isOwnerKnown = await findUser(sql, row!.user_id as number) !== undefined;
    const owner = isOwnerKnown ? {} : { user_id: caller.userId };
    if (record.kind !== "backup-tasks") return await insertAgain(sql, stored, owner);
    await undeleteTask(services, sql, stored, owner);
  });
  return await show(services, caller, record.id);
}

/** Lists the deleted records of these kinds whose deletion can still be undone. */
export function listDeletedRecords(
  { clock, database }: ServiceContext,
  caller: Caller,
  kinds: readonly DeletedKind[],
  window: PageWindow,
): Promise<Page<DeletedRecordRow>> {
  return listRows(database, caller.workspaceId, { kinds, now: clock.now() }, window);
}

interface StoredTask extends Schedule {
  remote_server_id: number;
  backup_destination_id: number;
  paused_at: string | null;
  next_run_at: string | null;
}

async function undeleteTask(
  services: ServiceContext,
  sql: Sql,
  stored: StoredRecord,
  owner: { user_id?: number },
): Promise<void> {
  const now = services.clock.now();
  const task = stored.rows.backup_tasks![0] as unknown as StoredTask;
  await requireNeeded(sql, stored, task);
  // Due times that passed while the task was deleted are skipped, as after a pause.
  const isOverdue = task.next_run_at !== null && new Date(task.next_run_at) <= now;
  const schedule = isOverdue
    ? { next_run_at: planRun(task, now).next?.toISOString() ?? null, planned_at: now.toISOString() }
    : {};
  await unmarkRemoval(sql, await backupsTrashedWith(sql, stored));
  await insertAgain(sql, stored, { ...owner, ...schedule });
  await refreshProtection(sql, stored.record_id);
  await notify(sql, { topic: "schedule_changed" });
}

/** Throws a {@link ConflictError} if the server, the destination or a script of a deleted task is gone. */
async function requireNeeded(
  sql: Sql,
  { workspace_id, rows }: StoredRecord,
  { remote_server_id, backup_destination_id }: StoredTask,
): Promise<void> {
  if (await findRemoteServerOf(sql, workspace_id, remote_server_id) === undefined) {
    throw new ConflictError(
      `The remote server ${remote_server_id} of the backup task is deleted. Create a new task for another server.`,
    );
  }
  if (await findBackupDestinationOf(sql, workspace_id, backup_destination_id) === undefined) {
    throw new ConflictError(
      `The backup destination ${backup_destination_id} of the backup task is deleted. Take it out of the trash first.`,
    );
  }
  for (const { script_id } of (rows.backup_task_scripts ?? []) as { script_id: number }[]) {
    if (await findScriptOf(sql, workspace_id, script_id) !== undefined) continue;
    throw new ConflictError(
      `The script ${script_id} of the backup task is deleted. Take it out of the trash first.`,
    );
  }
}
