/** Adds single tags to backup tasks, and removes them. */
import { NotFoundError } from "../../domain/errors.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { lockBackupTask, updateBackupTask } from "../../store/tasks/backup_tasks.ts";
import { addTagToTask, holdTag, removeTagFromTask } from "../../store/tasks/tags.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { type BackupTaskDetail, showBackupTask } from "./backup_tasks.ts";

/** Adds a tag to a task, and returns the task. Does nothing if the task has the tag already. */
export function addTaskTag(
  services: ServiceContext,
  caller: Caller,
  ids: { taskId: number; tagId: number },
): Promise<BackupTaskDetail> {
  return changeTag(services, caller, ids, addTagToTask);
}

/** Removes a tag from a task, and returns the task. Does nothing if the task does not have the tag. */
export function removeTaskTag(
  services: ServiceContext,
  caller: Caller,
  ids: { taskId: number; tagId: number },
): Promise<BackupTaskDetail> {
  return changeTag(services, caller, ids, removeTagFromTask);
}

/** @param change Returns whether it changed the task. */
async function changeTag(
  services: ServiceContext,
  caller: Caller,
  { taskId, tagId }: { taskId: number; tagId: number },
  change: (sql: Sql, taskId: number, tagId: number) => Promise<boolean>,
): Promise<BackupTaskDetail> {
  await transaction(services.database, async (sql) => {
    const task = await lockBackupTask(sql, caller.workspaceId, taskId);
    if (task === undefined) throw new NotFoundError("Backup task");
    if (!await holdTag(sql, caller.workspaceId, tagId)) throw new NotFoundError("Tag");
    if (await change(sql, taskId, tagId)) await updateBackupTask(sql, taskId, {}, services.clock.now());
  });
  return await showBackupTask(services, caller, taskId);
}
