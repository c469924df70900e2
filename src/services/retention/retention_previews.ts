/** Previews which backups retention would remove. */
import { presentFields } from "../../definitions/fields/view.ts";
import { TASK_RETENTION_FIELDS } from "../../definitions/task_retention_fields.ts";
import { NotFoundError } from "../../domain/errors.ts";
import { decideRetention, type RetentionDecision, type RetentionPolicy } from "../../domain/retention.ts";
import { type RetainedBackupRow, storedBackups } from "../../store/backups/backup_retention.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

export interface RetentionPreview {
  readonly backupTaskId: number;
  /** The time zone in which days, weeks and other periods begin. */
  readonly timezone: string;
  readonly policy: RetentionPolicy;
  /** A decision for each stored backup, newest first. */
  readonly decisions: readonly RetentionDecision<RetainedBackupRow>[];
}

/**
 * Returns what the task's rules would do now, without removing anything.
 *
 * @param changes Rules that replace those of the task.
 */
export async function previewRetention(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
  changes: Partial<RetentionPolicy>,
): Promise<RetentionPreview> {
  const task = await findBackupTaskOf(services.database, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  const { timezone } = task;
  const policy = { ...presentFields(TASK_RETENTION_FIELDS, task), ...changes };
  const stored = await storedBackups(services.database, taskId);
  const decisions = decideRetention(stored, policy, { timezone, now: services.clock.now() });
  return { backupTaskId: taskId, timezone, policy, decisions };
}
