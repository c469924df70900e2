/** Restores: queued like any run. */
import {
  DATABASE_SERVER_FIELDS,
  type RequestedDatabaseServer,
  requestedServer,
} from "../../domain/database/database_server.ts";
import { ConflictError, InvalidError, UnavailableError } from "../../domain/errors.ts";
import {
  archivePaths,
  chosenDatabases,
  LOAD_OPTIONS,
  type LoadOptions,
  loadOptions,
  type RestoreOptions,
} from "../../domain/restore.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { type BackupRow, findBackupDetail } from "../../store/backups/backups.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findRemoteServerOf } from "../../store/agents/remote_servers.ts";
import { insertRun } from "../../store/runs/runs.ts";
import { databaseServer } from "../jobs/restore_jobs.ts";
import { connectedHolder, decryptionIdentityOf, isElsewhere, lockReadable } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { announceQueued } from "../runs/queued_runs.ts";
import { startDeadline } from "../runs/run_state.ts";

/** All fields are optional: without any, the whole backup is restored to where it came from. */
export interface RestoreInput extends RequestedDatabaseServer, LoadOptions {
  remote_server_id?: number;
  target_path?: string;
  paths?: string[];
  databases?: string[];
  database_name?: string;
  overwrite?: boolean;
  /** An age secret key, for a backup that is encrypted to recipients. */
  identity?: string;
}

/**
 * Queues a restore. Throws a {@link ConflictError} if the backup is being deleted, an {@link InvalidError}
 * that names every wrong field, and as {@link refuseUnreachable} does.
 */
export async function startRestore(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  input: RestoreInput,
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockReadable(sql, caller, backupId);
    const key = input.identity === undefined ? null : await decryptionIdentityOf(backup, input.identity);
    if (key === null && backup.encryption === "recipients") {
      throw new ConflictError(
        "The backup is encrypted to recipients, which the control plane can't undo. Send the identity of one of them.",
      );
    }
    const serverId = await selectServer(sql, caller, backup, input.remote_server_id);
    if (backup.engine === "rearguard") {
      throw new ConflictError(
        "The backup holds the control plane's own state. `deno task admin recover` makes a new control plane of it.",
      );
    }
    const options = backup.engine === "tar"
      ? filesOptions(backup, input)
      : databaseOptions(backup, await databasesOf(sql, backup), input);
    if (options.type === "database") await databaseServer(sql, backup, serverId, options.server ?? null);
    await refuseUnreachable(services, sql, backup, serverId);
    const runId = await queueRestore(services, sql, backup, { serverId, options, key });
    return { runId };
  });
}

/** Returns the server that is to read the backup. Throws an {@link InvalidError} if there is none. */
export async function selectServer(
  sql: Sql,
  caller: Caller,
  backup: BackupRow,
  requested: number | undefined,
): Promise<number> {
  const id = requested ?? backup.remote_server_id;
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

function filesOptions(backup: BackupRow, input: RestoreInput): RestoreOptions {
  refuseFields(input, ["databases", "database_name", ...LOAD_OPTIONS, ...DATABASE_SERVER_FIELDS], "files");
  const target_path = input.target_path ?? null;
  if (target_path === null && backup.source === null) {
    throw new InvalidError({
      target_path: ["Where the backup came from is not known. Say where to restore it."],
    });
  }
  return {
    type: "files",
    target_path,
    paths: archivePaths(input.paths ?? []),
    overwrite: input.overwrite ?? false,
    ...withIdentity(input),
  };
}

function withIdentity({ identity }: RestoreInput): Pick<RestoreOptions, "with_identity"> {
  return identity === undefined ? {} : { with_identity: true };
}

function databaseOptions({ engine }: BackupRow, held: string[], input: RestoreInput): RestoreOptions {
  refuseFields(input, ["target_path", "paths"], "databases");
  const chosen = chosenDatabases(held, input.databases, input.database_name);
  const server = engine === "mysqldump" ? "mysql" as const : "postgresql" as const;
  const load = loadOptions(server, input);
  return {
    type: "database",
    engine: server,
    ...chosen,
    overwrite: input.overwrite ?? false,
    ...load === undefined ? {} : { load },
    server: requestedServer(input),
    ...withIdentity(input),
  };
}

/** Throws an {@link InvalidError} if the input has fields that belong to the other kind of backup. */
export function refuseFields(input: RestoreInput, fields: (keyof RestoreInput)[], held: string): void {
  const given = fields.filter((field) => input[field] !== undefined);
  if (given.length === 0) return;
  const sentence = (field: string) =>
    `The ${field.replaceAll("_", " ")} field can't be used: the backup holds ${held}.`;
  throw new InvalidError(Object.fromEntries(given.map((field) => [field, [sentence(field)]])));
}

async function databasesOf(sql: Sql, backup: BackupRow): Promise<string[]> {
  const objects = (await findBackupDetail(sql, backup.user_id, backup.id))?.objects ?? [];
  return objects.filter(({ role, database_name }) => role === "archive" && database_name !== null)
    .map(({ database_name }) => database_name!);
}

/**
 * Throws a {@link ConflictError} if another server's agent would have to send the backup and can't do so now.
 * Otherwise the run would wait for two agents and fail later, unattended.
 */
export async function refuseUnreachable(
  services: ServiceContext,
  sql: Sql,
  backup: BackupRow,
  serverId: number,
): Promise<void> {
  const destination = await findBackupDestination(sql, backup.backup_destination_id);
  if (destination === undefined || !isElsewhere(backup, destination, serverId)) return;
  await connectedHolder(services, sql, backup).catch((error) => {
    throw error instanceof UnavailableError ? new ConflictError(error.message) : error;
  });
}

async function queueRestore(
  services: ServiceContext,
  sql: Sql,
  backup: BackupRow,
  { serverId, options, key }: { serverId: number; options: RestoreOptions; key: string | null },
): Promise<number> {
  const now = services.clock.now();
  const deadline = startDeadline(services, { created_at: now });
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
    deadline_at: deadline,
    created_at: now,
  });
  if (key !== null) await services.transientSecrets.publish(sql, `run ${run.id}`, key, deadline);
  await announceQueued(sql, [run]);
  return run.id;
}
