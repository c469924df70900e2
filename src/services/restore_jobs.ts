/** Runs that read a backup to what their agent is told. */
import { InvalidError } from "../domain/errors.ts";
import type { RestoreOptions } from "../domain/restore.ts";
import type { BackupToRead, DrillJob, RestoreJob, VerifyJob } from "../protocol/job.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { findBackupDestination } from "../store/backup_destinations.ts";
import { findBackupTask } from "../store/backup_tasks.ts";
import { type BackupDetailRow, findBackupDetail } from "../store/backups.ts";
import type { Sql } from "../store/database.ts";
import type { RunRow } from "../store/runs.ts";
import { jobDestination } from "./jobs.ts";

/** Throws an {@link InvalidError} where the backup is gone, a `SecretError` where a secret can't be opened. */
export async function restoreJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<RestoreJob> {
  const { target_path, paths, overwrite } = run.options as RestoreOptions;
  return {
    kind: "restore",
    task: await taskOf(sql, run),
    backup: await backupToRead(sql, run, keyring),
    target: { type: "files", path: target_path, paths: [...paths], overwrite },
    timeout_ms: null,
  };
}

/** Throws as {@link restoreJob} does. */
export async function verifyJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<VerifyJob> {
  return {
    kind: "verify",
    task: await taskOf(sql, run),
    backup: await backupToRead(sql, run, keyring),
    timeout_ms: null,
  };
}

/** Throws as {@link restoreJob} does. */
export async function drillJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<DrillJob> {
  return {
    ...await verifyJob(sql, run, keyring),
    kind: "drill",
    bytes_read: (await findBackupDetail(sql, run.user_id, run.backup_id ?? 0))!.bytes_read,
  };
}

async function taskOf(sql: Sql, run: RunRow): Promise<RestoreJob["task"]> {
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return task === undefined ? null : { id: task.id, label: task.label };
}

/** The backup of a run that reads one, with what opens it. */
async function backupToRead(sql: Sql, run: RunRow, keyring: Keyring): Promise<BackupToRead> {
  const backup = run.backup_id === null ? undefined : await findBackupDetail(sql, run.user_id, run.backup_id);
  const destination = await findBackupDestination(sql, backup?.backup_destination_id ?? 0);
  // One whose removal was asked for meanwhile stays until the run is over.
  if (backup === undefined || destination === undefined) {
    throw new InvalidError({ backup_id: ["The backup was deleted."] });
  }
  return {
    id: backup.id,
    created_at: backup.created_at.toISOString(),
    objects: backup.objects.map(({ database_name, ...object }) => ({ ...object, database: database_name })),
    files_count: backup.files_count,
    source: backup.source,
    destination: jobDestination(destination, backup.directory, keyring),
    key: keyOf(backup, keyring),
  };
}

/** Recipients' backups take an identity, which is not kept anywhere. */
function keyOf(backup: BackupDetailRow, keyring: Keyring): BackupToRead["key"] {
  const passphrase = keyring.decryptOptional(backup.encryption_password_encrypted);
  return passphrase === null ? null : { type: "passphrase", passphrase };
}
