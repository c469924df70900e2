/** What a backup is to those who may need it. */
export const BACKUP_STATUSES = ["stored", "deleting", "damaged"] as const;
export type BackupStatus = typeof BACKUP_STATUSES[number];

/** One that is being deleted says so, damaged or not. */
export function backupStatus(
  backup: { readonly removal_requested_at: Date | null; readonly damaged_at: Date | null },
): BackupStatus {
  if (backup.removal_requested_at !== null) return "deleting";
  return backup.damaged_at === null ? "stored" : "damaged";
}
