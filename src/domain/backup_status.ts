/** Defines the status and the outcome of a backup, as the API shows them. */
import type { Outcome } from "./run.ts";

export const BACKUP_STATUSES = ["stored", "deleting", "damaged"] as const;
export type BackupStatus = typeof BACKUP_STATUSES[number];

/** Returns a backup's status. A damaged backup that is being deleted is `deleting`. */
export function backupStatus(
  backup: { readonly removal_requested_at: Date | null; readonly damaged_at: Date | null },
): BackupStatus {
  if (backup.removal_requested_at !== null) return "deleting";
  return backup.damaged_at === null ? "stored" : "damaged";
}

/**
 * Returns the outcome of a stored backup: `warnings` if the run had warnings, or if the backup lacks
 * something.
 */
export function outcomeOfBackup(
  { warnings_count, missing, unreadable_count }: {
    readonly warnings_count: number;
    readonly missing: readonly unknown[];
    readonly unreadable_count: number;
  },
): Outcome {
  return warnings_count > 0 || missing.length > 0 || unreadable_count > 0 ? "warnings" : "succeeded";
}
