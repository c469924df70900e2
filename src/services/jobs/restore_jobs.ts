/** Builds the jobs of runs that read a backup: restores, verifications and drills. */
import type { RestoreDefinition, RestoreLogin } from "../../definitions/sources/definition.ts";
import { restoreOfEngine, restoreOfOptions } from "../../definitions/sources/registry.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import {
  type DatabaseServer,
  isThisMachine,
  serverToLoadInto,
} from "../../domain/database/database_server.ts";
import { InvalidError } from "../../domain/errors.ts";
import type { DrillOptions, StoredRestore } from "../../domain/restore.ts";
import type { BackupToRead, DrillJob, RestoreJob, RestoreTarget, VerifyJob } from "../../protocol/job.ts";
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
 * Builds a restore job. Throws an {@link InvalidError} if the backup is deleted. Also throws it if the
 * backup's databases can't be restored on that server. Throws a `SecretError` if a secret can't be decrypted.
 *
 * @param identity The age secret key, for a backup that is encrypted to recipients; null for other backups.
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
    ...await restoreParts(sql, run, keyring, identity),
    timeout_ms: null,
  };
}

/** The fields of a run that say which backup it restores, and where. */
export type PlannedRestore = Pick<
  RunRow,
  "backup_id" | "workspace_id" | "backup_task_id" | "remote_server_id" | "options"
>;

/**
 * Returns the backup and the target of a restore as they are sent to an agent. Throws the errors of
 * {@link restoreJob}.
 */
export async function restoreParts(
  sql: Sql,
  run: PlannedRestore,
  keyring: Keyring,
  identity: string | null,
): Promise<Pick<RestoreJob, "backup" | "target">> {
  const options = run.options as StoredRestore;
  return {
    backup: await backupOfRun(sql, run, keyring, identity),
    target: await restoreTarget(sql, run, restoreOfOptions(options), options, keyring),
  };
}

/**
 * Returns the backup's task, and the database server that loads the backup during a run on `serverId`. Throws
 * the error of {@link serverToLoadInto}.
 */
export async function databaseServer(
  sql: Sql,
  { backup_task_id }: Pick<RunRow, "backup_task_id">,
  serverId: number,
  requested: DatabaseServer | null,
): Promise<{ server: DatabaseServer; task: BackupTaskRow | undefined; isAtHome: boolean }> {
  const task = backup_task_id === null ? undefined : await findBackupTask(sql, backup_task_id);
  const isAtHome = task?.remote_server_id === serverId;
  return {
    server: serverToLoadInto(task === undefined ? null : serverOf(task), isAtHome, requested),
    task,
    isAtHome,
  };
}

/** Returns the database server that a task backs up. */
function serverOf(task: BackupTaskRow): DatabaseServer {
  const { database_host, database_port, database_username } = sourceValues(task);
  return { host: database_host, port: database_port, username: database_username };
}

/**
 * Returns where a run restores to. If a database server loads the backup, this function can throw the error
 * of {@link serverToLoadInto}.
 */
async function restoreTarget(
  sql: Sql,
  run: PlannedRestore,
  restore: RestoreDefinition,
  options: StoredRestore,
  keyring: Keyring,
): Promise<RestoreTarget> {
  if (restore.usesServer) {
    return restore.target(
      options,
      await serverLogin(sql, run, options.server ?? null, keyring),
    ) as RestoreTarget;
  }
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  const isAtHome = task?.remote_server_id === run.remote_server_id;
  const run_as = isAtHome ? task?.isolated_username ?? null : null;
  return restore.target(options, { run_as, server: null }) as RestoreTarget;
}

/**
 * Returns the login for the database server of a restore.
 * - On the task's own remote server, the login has the task's system user. The task's password is used; if
 *   there is none, the remote server's.
 * - On any other remote server, the login has no system user. That server's password is used; if there is
 *   none, the task's.
 *
 * The task's password is never used unless the database server is on the task's database host or on the
 * agent's machine.
 */
async function serverLogin(
  sql: Sql,
  run: PlannedRestore,
  requested: DatabaseServer | null,
  keyring: Keyring,
): Promise<RestoreLogin> {
  const { server, task, isAtHome } = await databaseServer(sql, run, run.remote_server_id!, requested);
  const machine = await findRemoteServer(sql, run.remote_server_id!);
  const own = machine?.database_password_encrypted ?? null;
  const source = task && sourceValues(task);
  const isTasks = isThisMachine(server.host) || server.host === source?.database_host;
  const tasks = isTasks ? source?.database_password ?? null : null;
  const password = keyring.decryptOptional(isAtHome ? tasks ?? own : own ?? tasks);
  return { run_as: isAtHome ? task?.isolated_username ?? null : null, server: { ...server, password } };
}

/** Builds a verification job. Throws the errors of {@link restoreJob}. */
export async function verifyJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<VerifyJob> {
  return {
    kind: "verify",
    task: await taskOf(sql, run),
    backup: await backupOfRun(sql, run, keyring, null),
    timeout_ms: null,
  };
}

/** Builds a drill job. Throws the errors of {@link restoreJob}. */
export async function drillJob(sql: Sql, run: RunRow, keyring: Keyring): Promise<DrillJob> {
  const verify = await verifyJob(sql, run, keyring);
  const { bytes_read, engine } = (await findBackupDetail(sql, run.workspace_id, run.backup_id ?? 0))!;
  const drill = { ...verify, kind: "drill" as const, bytes_read };
  const restore = restoreOfEngine(engine);
  if (restore === null || restore.drill === null) return drill;
  const options = { ...restore.drill, server: (run.options as DrillOptions | null)?.server ?? null };
  return { ...drill, target: await restoreTarget(sql, run, restore, options, keyring) };
}

async function taskOf(sql: Sql, run: RunRow): Promise<RestoreJob["task"]> {
  const task = run.backup_task_id === null ? undefined : await findBackupTask(sql, run.backup_task_id);
  return task === undefined ? null : { id: task.id, label: task.label };
}

/** Returns the run's backup as it is sent to the agent, with the key that decrypts it. */
async function backupOfRun(
  sql: Sql,
  run: PlannedRestore,
  keyring: Keyring,
  identity: string | null,
): Promise<BackupToRead> {
  const backup = run.backup_id === null
    ? undefined
    : await findBackupDetail(sql, run.workspace_id, run.backup_id);
  const destination = await findBackupDestination(sql, backup?.backup_destination_id ?? 0);
  // A backup that is marked for removal still exists here, because it is not removed before the run ends.
  if (backup === undefined || destination === undefined) {
    throw new InvalidError({ backup_id: ["The backup was deleted."] });
  }
  const described = backupToRead(backup, destination, keyring, identity);
  if (!isElsewhere(backup, destination, run.remote_server_id)) return described;
  const holder = await findRemoteServer(sql, backup.remote_server_id ?? 0);
  if (holder === undefined) {
    throw new InvalidError({
      backup_id: ["The backup is on the disk of a server that is deleted."],
    });
  }
  const server = { id: holder.id, label: holder.label };
  return { ...described, destination: { type: "relay", server, directory: backup.directory } };
}

/**
 * Describes a backup for an agent.
 *
 * @param identity An age secret key for a backup that is encrypted to recipients; null if no data is
 * decrypted.
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

/**
 * Returns the key that decrypts a backup: a stored password, or the secret key in `identity`. Returns null if
 * no key is needed.
 */
function keyOf(backup: BackupDetailRow, keyring: Keyring, identity: string | null): BackupToRead["key"] {
  if (backup.encryption === "recipients") return identity === null ? null : { type: "identity", identity };
  const passphrase = keyring.decryptOptional(backup.encryption_password_encrypted);
  return passphrase === null ? null : { type: "passphrase", passphrase };
}
