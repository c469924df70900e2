/** Shows the last backup runs of tasks. */
import { NotFoundError } from "../../domain/errors.ts";
import {
  lastRunsOfTask,
  lastRunsOfTasks,
  type TaskRun,
  type TaskStrip,
} from "../../store/history/task_runs.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type { TaskRun, TaskStrip };

/** Returns the last ended backup runs of a task, at most `limit`, the oldest first. */
export async function showTaskRuns(
  { database }: ServiceContext,
  { workspaceId }: Caller,
  taskId: number,
  limit: number,
): Promise<TaskRun[]> {
  if (await findBackupTaskOf(database, workspaceId, taskId) === undefined) {
    throw new NotFoundError("Backup task");
  }
  return await lastRunsOfTask(database, taskId, limit);
}

/**
 * Returns the last backup runs that have ended, at most `limit` for each task. `ids` chooses the tasks. If it
 * is absent, returns the runs of every task of the workspace.
 */
export function showStrips(
  { database }: ServiceContext,
  { workspaceId }: Caller,
  { ids, limit }: { ids?: readonly number[] | undefined; limit: number },
): Promise<TaskStrip[]> {
  return lastRunsOfTasks(database, workspaceId, ids ?? null, limit);
}
