/** A restore run to what its agent is told. */
import { InvalidError } from "../domain/errors.ts";
import type { RestoreOptions } from "../domain/restore.ts";
import type { BackupToRead, RestoreJob } from "../protocol/job.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { type BackupDestinationRow, findBackupDestination } from "../store/backup_destinations.ts";
import { findBackupTask } from "../store/backup_tasks.ts";
import { type BackupDetailRow, findBackupDetail } from "../store/backups.ts";
import type { Sql } from "../store/database.ts";
import type { RunRow } from "../store/runs.ts";
import { jobDestination } from "./jobs.ts";

/**
 * Throws an {@link InvalidError} where the backup is gone, a `SecretError` where a secret can't be opened.
 *
 * @param identity Opens a backup that is encrypted to recipients.
 */
export async function restoreJob(
  sql: Sql,
  run: RunRow,
  keyring: Keyring,
  identity: string | null = null,
): Promise<RestoreJob> {
  const { target_path, paths, overwrite } = run.options as RestoreOptions;
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return {
    kind: "restore",
    task: task === undefined ? null : { id: task.id, label: task.label },
    backup: await backupOfRun(sql, run, keyring, identity),
    target: { type: "files", path: target_path, paths: [...paths], overwrite },
    timeout_ms: null,
  };
}

/** The backup of a run that reads one, with what opens it. */
async function backupOfRun(
  sql: Sql,
  run: RunRow,
  keyring: Keyring,
  identity: string | null,
): Promise<BackupToRead> {
  const backup = run.backup_id === null ? undefined : await findBackupDetail(sql, run.user_id, run.backup_id);
  const destination = await findBackupDestination(sql, backup?.backup_destination_id ?? 0);
  // One whose removal was asked for meanwhile stays until the run is over.
  if (backup === undefined || destination === undefined) {
    throw new InvalidError({ backup_id: ["The backup was deleted."] });
  }
  return backupToRead(backup, destination, keyring, identity);
}

/** @param identity Opens one that is encrypted to recipients; null where nothing of it is to be opened. */
export function backupToRead(
  backup: BackupDetailRow,
  destination: BackupDestinationRow,
  keyring: Keyring,
  identity: string | null,
): BackupToRead {
  return {
    id: backup.id,
    created_at: backup.created_at.toISOString(),
    objects: backup.objects.map(({ database_name, ...object }) => ({ ...object, database: database_name })),
    files_count: backup.files_count,
    source: backup.source,
    destination: jobDestination(destination, backup.directory, keyring),
    key: keyOf(backup, keyring, identity),
  };
}

/** Recipients' backups take an identity, which is not kept anywhere. */
function keyOf(backup: BackupDetailRow, keyring: Keyring, identity: string | null): BackupToRead["key"] {
  if (backup.encryption === "recipients") return identity === null ? null : { type: "identity", identity };
  const passphrase = keyring.decryptOptional(backup.encryption_password_encrypted);
  return passphrase === null ? null : { type: "passphrase", passphrase };
}
