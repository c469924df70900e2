/** Runs that read a backup to what their agent is told. */
import { drilledServer } from "../domain/drill.ts";
import { InvalidError } from "../domain/errors.ts";
import type { DatabaseRestore, RestoreOptions } from "../domain/restore.ts";
import type {
  BackupToRead,
  DatabaseTarget,
  DrillJob,
  RestoreJob,
  RestoreTarget,
  VerifyJob,
} from "../protocol/job.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { type BackupDestinationRow, findBackupDestination } from "../store/backup_destinations.ts";
import { type BackupTaskRow, findBackupTask } from "../store/backup_tasks.ts";
import { type BackupDetailRow, findBackupDetail } from "../store/backups.ts";
import type { Sql } from "../store/database.ts";
import { findRemoteServer } from "../store/remote_servers.ts";
import type { RunRow } from "../store/runs.ts";
import { isElsewhere } from "./backup_reading.ts";
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
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return {
    kind: "restore",
    task: task === undefined ? null : { id: task.id, label: task.label },
    backup: await backupOfRun(sql, run, keyring, identity),
    target: await targetOf(sql, run, task, keyring),
    timeout_ms: null,
  };
}

async function targetOf(
  sql: Sql,
  run: RunRow,
  task: BackupTaskRow | undefined,
  keyring: Keyring,
): Promise<RestoreTarget> {
  const options = run.options as RestoreOptions;
  if (options.type === "database") return await databaseTarget(sql, run, options, task, keyring);
  const { target_path, paths, overwrite } = options;
  return { type: "files", path: target_path, paths: [...paths], overwrite };
}

/**
 * The server that the task names, as its user; without a task, the one on the local socket. On another machine than the task's,
 * that machine's own database password goes first, and no user of the task's machine is looked for.
 */
async function databaseTarget(
  sql: Sql,
  run: RunRow,
  { engine, databases, database_name, overwrite }: DatabaseRestore,
  task: BackupTaskRow | undefined,
  keyring: Keyring,
): Promise<DatabaseTarget> {
  const server = await findRemoteServer(sql, run.remote_server_id!);
  const own = server?.database_password_encrypted ?? null;
  const tasks = task?.database_password_encrypted ?? null;
  const isAtHome = task?.remote_server_id === run.remote_server_id;
  return {
    type: "database",
    engine,
    host: task?.database_host ?? null,
    port: task?.database_port ?? null,
    username: task?.database_username ?? null,
    password: keyring.decryptOptional(isAtHome ? tasks ?? own : own ?? tasks),
    run_as: isAtHome ? task?.isolated_username ?? null : null,
    names: databases === null ? null : [...databases],
    database_name,
    overwrite,
  };
}

/** Throws as {@link restoreJob} does. */
export async function verifyJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<VerifyJob> {
  return {
    kind: "verify",
    task: await taskOf(sql, run),
    backup: await backupOfRun(sql, run, keyring, null),
    timeout_ms: null,
  };
}

/** Throws as {@link restoreJob} does. */
export async function drillJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<DrillJob> {
  const verify = await verifyJob(sql, run, keyring);
  const { bytes_read, engine } = (await findBackupDetail(sql, run.user_id, run.backup_id ?? 0))!;
  const drill = { ...verify, kind: "drill" as const, bytes_read };
  const server = drilledServer(engine);
  if (server === null) return drill;
  const all = {
    type: "database" as const,
    engine: server,
    databases: null,
    database_name: null,
    overwrite: false,
  };
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return { ...drill, target: await databaseTarget(sql, run, all, task, keyring) };
}

async function taskOf(sql: Sql, run: RunRow): Promise<RestoreJob["task"]> {
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return task === undefined ? null : { id: task.id, label: task.label };
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
  const told = backupToRead(backup, destination, keyring, identity);
  if (!isElsewhere(backup, destination, run.remote_server_id)) return told;
  const holder = await findRemoteServer(sql, backup.remote_server_id ?? 0);
  if (holder === undefined) {
    throw new InvalidError({
      backup_id: ["The backup lies on the disk of a server that is gone from here."],
    });
  }
  const server = { id: holder.id, label: holder.label };
  return { ...told, destination: { type: "relay", server, directory: backup.directory } };
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
