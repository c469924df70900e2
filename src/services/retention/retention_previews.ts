/** Previews which backups retention would remove, with a task's saved rules or with changed ones. */
import { presentFields } from "../../definitions/fields/view.ts";
import { TASK_RETENTION_FIELDS } from "../../definitions/task_retention_fields.ts";
import { formatBytes } from "../../domain/byte_size.ts";
import { NotFoundError } from "../../domain/errors.ts";
import { decideRetention, type RetentionDecision, type RetentionPolicy } from "../../domain/retention.ts";
import { localIso } from "../../domain/timezone.ts";
import { DEFAULT_DELETE_DELAY_DAYS, deletionTime } from "../../domain/trash.ts";
import { type RetainedBackupRow, storedBackups } from "../../store/backups/backup_retention.ts";
import { findDeleteDelay } from "../../store/backups/trash.ts";
import { type BackupTaskRow, findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";

/** Fields of a task that decide which backups retention removes. */
export type RetentionChanges = Partial<RetentionPolicy> & { readonly timezone?: string };

/** A decision about a backup. `isChanged` says whether the saved rules would decide otherwise. */
export type PreviewedDecision = RetentionDecision<RetainedBackupRow> & { readonly isChanged: boolean };

export interface RetentionPreview {
  readonly backupTaskId: number;
  /** The time zone in which days, weeks and other periods begin. */
  readonly timezone: string;
  readonly policy: RetentionPolicy;
  /** A decision for each stored backup, newest first. */
  readonly decisions: readonly PreviewedDecision[];
  /** A summary of the removals, in sentences. */
  readonly summary: string;
  /**
   * The time when the removed backups would leave the trash if the changes were saved now. Null if these
   * backups would not go to the trash.
   */
  readonly deletesAt: Date | null;
}

/**
 * Returns what retention would do now, without removing anything.
 *
 * @param changes Values that replace those of the task.
 */
export async function previewRetention(
  { clock, database }: ServiceContext,
  caller: Caller,
  taskId: number,
  { timezone: changedZone, ...rules }: RetentionChanges,
): Promise<RetentionPreview> {
  const task = await findBackupTaskOf(database, caller.workspaceId, taskId);
  if (task === undefined) throw new NotFoundError("Backup task");
  const now = clock.now();
  const saved = { policy: presentFields(TASK_RETENTION_FIELDS, task), timezone: task.timezone };
  const next = { policy: { ...saved.policy, ...rules }, timezone: changedZone ?? task.timezone };
  const stored = await storedBackups(database, taskId);
  const before = new Map(
    decideRetention(stored, saved.policy, { timezone: saved.timezone, now })
      .map(({ backup, reasons }) => [backup.id, reasons.length > 0]),
  );
  const decisions = decideRetention(stored, next.policy, { timezone: next.timezone, now })
    .map((decision) => ({
      ...decision,
      isChanged: before.get(decision.backup.id) !== (decision.reasons.length > 0),
    }));
  const isChange = JSON.stringify(saved) !== JSON.stringify(next);
  const delay = await findDeleteDelay(database) ?? { days: DEFAULT_DELETE_DELAY_DAYS, next: null };
  const changedAt = isChange ? now : task.retention_changed_at;
  const deletesAt = changedAt === null ? null : deletionTime(delay, changedAt);
  return {
    backupTaskId: taskId,
    ...next,
    decisions,
    summary: isChange ? changeSummary(task, decisions) : savedSummary(task, decisions),
    deletesAt: deletesAt !== null && deletesAt > now ? deletesAt : null,
  };
}

/**
 * Summarizes a change of the retention rules. Distinguishes three groups of backups:
 * - those that only the changed rules would delete
 * - those that only the saved rules would delete
 * - those that both would delete
 */
function changeSummary(task: BackupTaskRow, decisions: readonly PreviewedDecision[]): string {
  const removed = decisions.filter(isRemoved);
  const added = removed.filter(({ isChanged }) => isChanged);
  const spared = decisions.filter((each) => each.isChanged && !isRemoved(each)).length;
  const already = removed.length - added.length;
  const sentences = [
    added.length > 0 || spared === 0 ? `This change would delete ${removalWords(task, added)}.` : "",
    spared > 0
      ? `${added.length > 0 ? "It" : "This change"} would keep ${
        pluralize(spared, "backup")
      } that the saved rules would delete.`
      : "",
    already > 0
      ? `The saved rules would delete ${
        pluralize(already, added.length > 0 ? "other backup" : "backup")
      } anyway.`
      : "",
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

function savedSummary(task: BackupTaskRow, decisions: readonly PreviewedDecision[]): string {
  return `The rules would delete ${removalWords(task, decisions.filter(isRemoved))}.`;
}

/** Describes backups, such as `12 backups (3.1 GB), the oldest from 2026-08-01 02:30`. */
function removalWords({ timezone }: BackupTaskRow, removed: readonly PreviewedDecision[]): string {
  if (removed.length === 0) return "nothing";
  const size = removed.reduce((sum, { backup }) => sum + backup.size, 0);
  const oldest = new Date(Math.min(...removed.map(({ backup }) => backup.created_at.getTime())));
  const from = localIso(timezone, oldest).slice(0, 16).replace("T", " ");
  const oldestWords = removed.length === 1 ? "" : ", the oldest";
  return `${pluralize(removed.length, "backup")} (${formatBytes(size)})${oldestWords} from ${from}`;
}

function isRemoved({ reasons }: PreviewedDecision): boolean {
  return reasons.length === 0;
}
