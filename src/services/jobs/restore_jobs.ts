/** Builds the jobs of runs that read a backup. */
import {
  type DatabaseServer,
  isThisMachine,
  serverToLoadInto,
} from "../../domain/database/database_server.ts";
import { drilledServer } from "../../domain/drill.ts";
import { InvalidError } from "../../domain/errors.ts";
import type { DatabaseRestore, DrillOptions, RestoreOptions } from "../../domain/restore.ts";
import type {
  BackupToRead,
  DatabaseTarget,
  DrillJob,
  RestoreJob,
  RestoreTarget,
  VerifyJob,
} from "../../protocol/job.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { type BackupTaskRow, findBackupTask } from "../../store/tasks/backup_tasks.ts";
import { type BackupDetailRow, findBackupDetail } from "../../store/backups/backups.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findRemoteServer } from "../../store/agents/remote_servers.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import { isElsewhere } from "../backups/backup_access.ts";
import { jobDestination } from "./jobs.ts";

/**
 * Builds a restore job. Throws an {@link InvalidError} if the backup is deleted or its databases can't be
 * restored there, and a `SecretError` if a secret can't be decrypted.
 *
 * @param identity Decrypts a backup that is encrypted to recipients.
 */
export async function restoreJob(
  sql: Sql,
  run: RunRow,
  keyring: Keyring,
  identity: string | null = null,
): Promise<RestoreJob> {
  return {
    kind: "restore",
    task: await taskOf(sql, run),
    backup: await backupOfRun(sql, run, keyring, identity),
    target: await targetOf(sql, run, keyring),
    timeout_ms: null,
  };
}

async function targetOf(sql: Sql, run: RunRow, keyring: Keyring): Promise<RestoreTarget> {
  const options = run.options as RestoreOptions;
  if (options.type === "database") return await databaseTarget(sql, run, options, keyring);
  const { target_path, paths, overwrite } = options;
  return { type: "files", path: target_path, paths: [...paths], overwrite };
}

/** Returns the database server for a run on `serverId`. Throws as {@link serverToLoadInto} does. */
export async function databaseServer(
  sql: Sql,
  { backup_task_id }: Pick<RunRow, "backup_task_id">,
  serverId: number,
  requested: DatabaseServer | null,
): Promise<{ server: DatabaseServer; task: BackupTaskRow | undefined; isAtHome: boolean }> {
  const task = backup_task_id === null ? undefined : await findBackupTask(sql, backup_task_id);
  const isAtHome = task?.remote_server_id === serverId;
  const own = task === undefined
    ? null
    : { host: task.database_host, port: task.database_port, username: task.database_username };
  return { server: serverToLoadInto(own, isAtHome, requested), task, isAtHome };
}

/**
 * Builds the target of a restore of databases. On the task's own machine, the task's password comes first. On
 * another machine, that machine's own database password comes first, and no system user is used. The task's
 * password is sent only to the task's host and to the machine itself.
 */
async function databaseTarget(
  sql: Sql,
  run: RunRow,
  { engine, databases, database_name, overwrite, load, server: requested }: DatabaseRestore,
  keyring: Keyring,
): Promise<DatabaseTarget> {
  const { server, task, isAtHome } = await databaseServer(sql, run, run.remote_server_id!, requested ?? null);
  const machine = await findRemoteServer(sql, run.remote_server_id!);
  const own = machine?.database_password_encrypted ?? null;
  const isTasks = isThisMachine(server.host) || server.host === task?.database_host;
  const tasks = isTasks ? task?.database_password_encrypted ?? null : null;
  return {
    type: "database",
    engine,
    ...server,
    password: keyring.decryptOptional(isAtHome ? tasks ?? own : own ?? tasks),
    run_as: isAtHome ? task?.isolated_username ?? null : null,
    names: databases === null ? null : [...databases],
    database_name,
    overwrite,
    ...load,
  };
}

/** Builds a verification job. Throws as {@link restoreJob} does. */
export async function verifyJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<VerifyJob> {
  return {
    kind: "verify",
    task: await taskOf(sql, run),
    backup: await backupOfRun(sql, run, keyring, null),
    timeout_ms: null,
  };
}

/** Builds a drill job. Throws as {@link restoreJob} does. */
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
    server: (run.options as DrillOptions | null)?.server ?? null,
  };
  return { ...drill, target: await databaseTarget(sql, run, all, keyring) };
}

async function taskOf(sql: Sql, run: RunRow): Promise<RestoreJob["task"]> {
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return task === undefined ? null : { id: task.id, label: task.label };
}

/** Returns the run's backup with the key that decrypts it. */
async function backupOfRun(
  sql: Sql,
  run: RunRow,
  keyring: Keyring,
  identity: string | null,
): Promise<BackupToRead> {
  const backup = run.backup_id === null ? undefined : await findBackupDetail(sql, run.user_id, run.backup_id);
  const destination = await findBackupDestination(sql, backup?.backup_destination_id ?? 0);
  // A backup whose removal was requested meanwhile stays until the run has ended.
  if (backup === undefined || destination === undefined) {
    throw new InvalidError({ backup_id: ["The backup was deleted."] });
  }
  const described = backupToRead(backup, destination, keyring, identity);
  if (!isElsewhere(backup, destination, run.remote_server_id)) return described;
  const holder = await findRemoteServer(sql, backup.remote_server_id ?? 0);
  if (holder === undefined) {
    throw new InvalidError({
      backup_id: ["The backup lies on the disk of a server that is gone from here."],
    });
  }
  const server = { id: holder.id, label: holder.label };
  return { ...described, destination: { type: "relay", server, directory: backup.directory } };
}

/**
 * Describes a backup for an agent.
 *
 * @param identity Decrypts a backup that is encrypted to recipients; null if nothing of it is decrypted.
 */
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

/** Returns the key: a stored password, or the identity, which is never stored. */
function keyOf(backup: BackupDetailRow, keyring: Keyring, identity: string | null): BackupToRead["key"] {
  if (backup.encryption === "recipients") return identity === null ? null : { type: "identity", identity };
  const passphrase = keyring.decryptOptional(backup.encryption_password_encrypted);
  return passphrase === null ? null : { type: "passphrase", passphrase };
}
