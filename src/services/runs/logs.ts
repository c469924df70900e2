/** Shows the logs of runs to their owner. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { hasEnded } from "../../domain/run.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import {
  deleteLog as deleteRow,
  findLatestLog,
  findLog,
  findLogDetail,
  hasObjectsToRemove,
  listLogs as listRows,
  lockLog,
  type LogDetailRow,
  type LogFilter,
  type LogRow,
  OUTPUT_PARTS,
  type OutputPart,
} from "../../store/runs/logs.ts";
import { readAllOutput } from "../../store/runs/output_reader.ts";
import { readWarnings } from "../../store/runs/run_warnings.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type { LogDetailRow, LogRow };

export { OUTPUT_PARTS };

/** Which logs to list, and which part of their output to return. */
type LogChoice = LogFilter & ListOrder & { output?: OutputPart };

const RESOURCE = "Backup task log";

/** Lists logs. Each log contains the end of its output, unless `choice.output` says otherwise. */
export function listLogs(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: LogChoice = {},
): Promise<Page<LogDetailRow>> {
  return listRows(services.database, caller.workspaceId, window.offset, window.limit, choice);
}

export async function listLogsOfTask(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
  window: PageWindow,
  choice: LogChoice,
): Promise<Page<LogDetailRow>> {
  const task = await findBackupTaskOf(services.database, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  return await listLogs(services, caller, window, { ...choice, backup_task_id: taskId });
}

export async function findOwnLog(services: ServiceContext, caller: Caller, id: number): Promise<LogRow> {
  const log = await findLog(services.database, caller.workspaceId, id);
  if (log === undefined) throw new NotFoundError(RESOURCE);
  return log;
}

/** Returns a log with all or a part of its output. */
export async function showLog(
  services: ServiceContext,
  caller: Caller,
  id: number,
  output: OutputPart = "all",
): Promise<LogDetailRow> {
  const log = await findLogDetail(services.database, caller.workspaceId, id, output);
  if (log === undefined) throw new NotFoundError(RESOURCE);
  return log;
}

/** Returns the run's output so far. */
export async function readOutput(services: ServiceContext, caller: Caller, id: number): Promise<string> {
  await findOwnLog(services, caller, id);
  return await readAllOutput(services.database, id);
}

/** The warnings of a run, as the agent reported them, without times. */
export interface RunWarnings {
  readonly warnings: readonly string[];
  /** Number of warnings that were counted, but are not stored. */
  readonly leftOut: number;
}

/**
 * Returns the warnings of a run. If the run's agent did not send warnings separately, returns the warnings in
 * the stored output.
 */
export async function listWarnings(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<RunWarnings> {
  const { warnings_count } = await findOwnLog(services, caller, id);
  const stored = await readWarnings(services.database, id);
  const warnings = stored.length > 0 || warnings_count === 0
    ? stored
    : warningsIn(await readAllOutput(services.database, id));
  return { warnings, leftOut: Math.max(0, warnings_count - warnings.length) };
}

function warningsIn(output: string): string[] {
  return [...output.matchAll(/^\d{4}-\S+Z Warning: (.*)$/gm)].map(([, warning]) => warning!);
}

/** Returns the task's newest backup run with all of its output so far. */
export async function showLatestLog(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
): Promise<LogDetailRow> {
  return await showLog(services, caller, (await latestLog(services, caller, taskId)).id);
}

/** Returns the task's newest backup run. */
export async function latestLog(services: ServiceContext, caller: Caller, taskId: number): Promise<LogRow> {
  const task = await findBackupTaskOf(services.database, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  const log = await findLatestLog(services.database, caller.workspaceId, taskId);
  if (log === undefined) throw new NotFoundError(RESOURCE);
  return log;
}

/**
 * Deletes a run's log; its backup stays. Throws a {@link ConflictError} if the run has not ended, or if its
 * leftovers are not removed yet.
 */
export async function deleteLog(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  await transaction(services.database, async (sql) => {
    const log = await lockLog(sql, caller.workspaceId, id);
    if (log === undefined) throw new NotFoundError(RESOURCE);
    if (!hasEnded(log.state)) {
      throw new ConflictError(
        "The backup task log belongs to a run that has not ended. Cancel the run, or wait until it has finished.",
      );
    }
    if (await hasObjectsToRemove(sql, id)) {
      throw new ConflictError(
        "Leftovers of this run at its destination are still being removed. Try again later.",
      );
    }
    await deleteRow(sql, id);
  });
}
