/** Restores: a backup's way back, queued like any run. */
import { ConflictError, InvalidError, NotFoundError } from "../domain/errors.ts";
import { archivePaths, type RestoreOptions } from "../domain/restore.ts";
import { findBackupDestination } from "../store/backup_destinations.ts";
import { type BackupRow, lockBackup } from "../store/backups.ts";
import { type Sql, transaction } from "../store/database.ts";
import { notify } from "../store/notifications.ts";
import { findRemoteServerOf } from "../store/remote_servers.ts";
import { insertRun } from "../store/runs.ts";
import type { Caller, Services } from "./context.ts";
import { startDeadline } from "./run_state.ts";

/** Everything is optional: without any of it, all of the backup goes back to where it came from. */
export interface RestoreInput {
  remote_server_id?: number;
  target_path?: string;
  paths?: string[];
  overwrite?: boolean;
}

/**
 * Queues a restore. Throws a {@link ConflictError} where the backup is being deleted or can't be reached from the server, an
 * {@link InvalidError} that names every field at fault.
 */
export async function startRestore(
  services: Services,
  caller: Caller,
  backupId: number,
  input: RestoreInput,
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockBackup(sql, caller.userId, backupId);
    if (backup === undefined) throw new NotFoundError("Backup");
    if (backup.removal_requested_at !== null) {
      throw new ConflictError("The backup is being deleted. Choose another one.");
    }
    if (backup.encryption === "recipients") {
      throw new ConflictError(
        "The backup is encrypted to recipients, which the control plane can't undo. Its manifest has the command that " +
          "restores it with one of their keys.",
      );
    }
    const serverId = await serverFor(sql, caller, backup, input.remote_server_id);
    const options = optionsOf(backup, input);
    await refuseUnreachable(sql, backup, serverId);
    return { runId: await queueRestore(services, sql, backup, serverId, options) };
  });
}

/** The server that is to read the backup. Throws an {@link InvalidError} where there is none. */
export async function serverFor(
  sql: Sql,
  caller: Caller,
  backup: BackupRow,
  asked: number | undefined,
): Promise<number> {
  const id = asked ?? backup.remote_server_id;
  if (id === null) {
    throw new InvalidError({
      remote_server_id: ["The server that made the backup is gone. Say which server to use."],
    });
  }
  if (await findRemoteServerOf(sql, caller.userId, id) === undefined) {
    throw new InvalidError({ remote_server_id: ["The selected remote server is invalid."] });
  }
  return id;
}

function optionsOf(backup: BackupRow, input: RestoreInput): RestoreOptions {
  if (backup.engine !== "tar") {
    throw new ConflictError(
      "The backup holds databases, which can't be restored by the API yet. Its manifest has the commands that restore it.",
    );
  }
  const target_path = input.target_path ?? null;
  if (target_path === null && backup.source === null) {
    throw new InvalidError({
      target_path: ["Where the backup came from is not known. Say where to restore it."],
    });
  }
  return { target_path, paths: archivePaths(input.paths ?? []), overwrite: input.overwrite ?? false };
}

/** A directory of one server is out of another's reach. */
export async function isOutOfReach(sql: Sql, backup: BackupRow, serverId: number): Promise<boolean> {
  const destination = await findBackupDestination(sql, backup.backup_destination_id);
  return destination?.type === "local" && backup.remote_server_id !== serverId;
}

async function refuseUnreachable(sql: Sql, backup: BackupRow, serverId: number): Promise<void> {
  if (!(await isOutOfReach(sql, backup, serverId))) return;
  throw new ConflictError(
    "The backup lies on the disk of the server that made it, which another server can't reach. Restore it there, " +
      "or copy its files over and restore them with tar.",
  );
}

async function queueRestore(
  services: Services,
  sql: Sql,
  backup: BackupRow,
  serverId: number,
  options: RestoreOptions,
): Promise<number> {
  const now = services.clock.now();
  const run = await insertRun(sql, {
    user_id: backup.user_id,
    kind: "restore",
    backup_task_id: backup.backup_task_id,
    remote_server_id: serverId,
    backup_destination_id: backup.backup_destination_id,
    backup_id: backup.id,
    options,
    trigger: "manual",
    scheduled_for: null,
    deadline_at: startDeadline(services, { created_at: now }),
    created_at: now,
  });
  await notify(sql, { topic: "run_changed", run_id: run.id });
  await notify(sql, { topic: "run_queued", run_id: run.id, remote_server_id: serverId });
  return run.id;
}
