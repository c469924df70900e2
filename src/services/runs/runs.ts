/** Starts and cancels runs. */
import { ownerColumns, ownerOf } from "../../domain/access/owner.ts";
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { hasEnded, type RunTrigger, shownState } from "../../domain/run.ts";
import { type BackupTaskRow, lockBackupTask } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  countActiveBackupRuns,
  insertBackupRuns,
  lockActiveBackupRun,
  lockRuns,
  lockServerLimit,
} from "../../store/runs/runs.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { announceQueued } from "./queued_runs.ts";
import { applyToRun, startDeadline } from "./run_state.ts";

/**
 * Queues a run that a user or a trigger requested, and returns its id. Throws a {@link ConflictError} if the
 * task is paused or has an active run. If the task's server has reached its limit of parallel runs, `queue`
 * decides: with `queue`, the run waits for a slot; without `queue`, the function throws a `ConflictError`.
 */
export async function startRun(
  services: ServiceContext,
  caller: Pick<Caller, "workspaceId">,
  taskId: number,
  { queue = false, trigger = "manual" }: { queue?: boolean; trigger?: RunTrigger } = {},
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const task = await lockOwnTask(sql, caller, taskId);
    if (task.paused_at !== null) {
      throw new ConflictError("The backup task is paused. Resume it before you run it.");
    }
    const active = await lockActiveBackupRun(sql, task.id);
    if (active !== null) {
      throw new ConflictError(
        `The backup task is already ${shownState(active.state)}. Wait until it has finished, or cancel it.`,
      );
    }
    const limit = await lockServerLimit(sql, task.remote_server_id) ?? 1;
    if (!queue && await countActiveBackupRuns(sql, task.remote_server_id) >= limit) {
      throw new ConflictError(
        `The server is at its limit of ${limit} backup ${limit === 1 ? "run" : "runs"} at once. ` +
          'Wait until one has finished, cancel it, or send {"queue": true} to wait for a slot.',
      );
    }
    const [runId] = await queueBackupRuns(services, sql, [{ task, trigger, scheduledFor: null }]);
    return { runId: runId! };
  });
}

/**
 * Queues a backup run for each task, and returns the ids of the runs. Before this call, the transaction must
 * lock the rows of the tasks, and check that no task has an active run.
 *
 * @param due `scheduledFor` is when the run was due; null if the schedule did not trigger the run.
 */
export async function queueBackupRuns(
  services: ServiceContext,
  sql: Sql,
  due: readonly { task: BackupTaskRow; trigger: RunTrigger; scheduledFor: Date | null }[],
): Promise<number[]> {
  const now = services.clock.now();
  const rows = due.map(({ task, trigger, scheduledFor }) => ({
    ...ownerColumns(ownerOf(task)),
    backup_task_id: task.id,
    remote_server_id: task.remote_server_id,
    backup_destination_id: task.backup_destination_id,
    scheduled_for: scheduledFor,
    trigger,
  }));
  const deadline_at = startDeadline(services, { created_at: now });
  const runs = await insertBackupRuns(sql, rows, { deadline_at, created_at: now });
  await announceQueued(sql, runs);
  return runs.map(({ id }) => id);
}

/**
 * Cancels the task's active run. A queued run ends at once. For a run that an agent works on, the agent gets
 * a cancellation.
 */
export async function cancelRun(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const task = await lockOwnTask(sql, caller, taskId);
    const run = await lockActiveBackupRun(sql, task.id);
    if (run === null) {
      throw new ConflictError("The backup task has no run in progress. There is nothing to cancel.");
    }
    // Cancelling a run again changes nothing.
    if (run.state !== "cancelling") {
      await applyToRun(services, sql, run, { type: "cancel_requested" }, { reason: "Cancelled by request." });
    }
    return { runId: run.id };
  });
}

/** Cancels an active run of any kind. */
export async function cancelAnyRun(services: ServiceContext, caller: Caller, runId: number): Promise<void> {
  await transaction(services.database, async (sql) => {
    const [run] = await lockRuns(sql, [runId]);
    if (run === undefined || run.workspace_id !== caller.workspaceId) {
      throw new NotFoundError("Backup task log");
    }
    if (hasEnded(run.state)) {
      throw new ConflictError(`The run is ${shownState(run.state)} already. There is nothing to cancel.`);
    }
    if (run.state === "cancelling") return;
    await applyToRun(services, sql, run, { type: "cancel_requested" }, { reason: "Cancelled by request." });
  });
}

async function lockOwnTask(
  sql: Sql,
  caller: Pick<Caller, "workspaceId">,
  taskId: number,
): Promise<BackupTaskRow> {
  const task = await lockBackupTask(sql, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  return task;
}
