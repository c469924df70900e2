/** What retention would do, without doing it. */
import { NotFoundError } from "../../domain/errors.ts";
import {
  decideRetention,
  KEEP_RULES,
  type KeepRule,
  type RetentionDecision,
  type RetentionPolicy,
} from "../../domain/retention.ts";
import { type RetainedBackupRow, storedBackups } from "../../store/backups/backup_retention.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

export interface RetentionPreview {
  readonly backupTaskId: number;
  /** Whose calendar the periods are of. */
  readonly timezone: string;
  readonly policy: RetentionPolicy;
  /** Of every stored backup, newest first. */
  readonly decisions: readonly RetentionDecision<RetainedBackupRow>[];
}

/** @param changes In place of the task's own fields. */
export async function previewRetention(
  services: ServiceContext,
  caller: Caller,
  taskId: number,
  changes: Partial<RetentionPolicy>,
): Promise<RetentionPreview> {
  const task = await findBackupTaskOf(services.database, caller.userId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  const { timezone, maximum_backups_to_keep, minimum_age_days } = task;
  const rules = Object.fromEntries(KEEP_RULES.map((rule) => [rule, task[rule]])) as Record<
    KeepRule,
    number | null
  >;
  const policy = { maximum_backups_to_keep, ...rules, minimum_age_days, ...changes };
  const stored = await storedBackups(services.database, taskId);
  const decisions = decideRetention(stored, policy, { timezone, now: services.clock.now() });
  return { backupTaskId: taskId, timezone, policy, decisions };
}
