/** Defines the status of a backup, as the API shows it. */
export const BACKUP_STATUSES = ["stored", "deleting", "damaged"] as const;
export type BackupStatus = typeof BACKUP_STATUSES[number];

/** Returns a backup's status. A damaged backup that is being deleted is `deleting`. */
export function backupStatus(
  backup: { readonly removal_requested_at: Date | null; readonly damaged_at: Date | null },
): BackupStatus {
  if (backup.removal_requested_at !== null) return "deleting";
  return backup.damaged_at === null ? "stored" : "damaged";
}
