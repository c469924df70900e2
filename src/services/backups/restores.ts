/** Starts restores. They are queued like all runs. */
import { ownerColumns, ownerOf } from "../../domain/access/owner.ts";
import {
  isRestorable,
  type RestoreDefinition,
  type SourceDefinition,
} from "../../definitions/sources/definition.ts";
import { definitionOfEngine, DEFINITIONS, RESTORE_FIELDS } from "../../definitions/sources/registry.ts";
import { ConflictError, InvalidError, UnavailableError } from "../../domain/errors.ts";
import type { StoredRestore } from "../../domain/restore.ts";
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

/**
 * Fields of a restore request. All are optional; by default, the whole backup is restored to its original
 * location.
 */
export interface RestoreInput extends Readonly<Record<string, unknown>> {
  remote_server_id?: number;
  /** An age secret key, for a backup that is encrypted to recipients. */
  identity?: string;
}

/**
 * Queues a restore. Throws a {@link ConflictError} if the backup is being deleted, and an
 * {@link InvalidError} that names every wrong field. Also throws the error of {@link refuseUnreachable}.
 */
export async function startRestore(
  services: ServiceContext,
  caller: Caller,
  backupId: number,
  input: RestoreInput,
): Promise<{ runId: number }> {
  return await transaction(services.database, async (sql) => {
    const backup = await lockReadable(sql, caller, backupId);
    const restore = await checkRestore(services, sql, caller, backup, input);
    const runId = await queueRestore(services, sql, backup, restore);
    return { runId };
  });
}

/** A restore request that passed every check which needs no agent. */
export interface CheckedRestore {
  readonly serverId: number;
  readonly options: StoredRestore;
  /** The age secret key that decrypts the backup; null if the request contains none. */
  readonly key: string | null;
}

/**
 * Checks a restore request. Restores and their previews use it, so that a preview refuses what a restore
 * refuses. Throws the errors of {@link startRestore}.
 */
export async function checkRestore(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  backup: BackupRow,
  input: RestoreInput,
): Promise<CheckedRestore> {
  const key = input.identity === undefined ? null : await decryptionIdentityOf(backup, input.identity);
  if (key === null && backup.encryption === "recipients") {
    throw new ConflictError(
      "The backup is encrypted to recipients, and the control plane can't decrypt it. Send the identity of one of them.",
    );
  }
  const serverId = await selectServer(sql, caller, backup, input.remote_server_id);
  const definition = definitionOfEngine(backup.engine);
  const { restore } = definition;
  if (!isRestorable(restore)) throw new ConflictError(restore.refusal);
  refuseForeignFields(input, definition, restore);
  refuseName(input.database_name, definition);
  const held = { databases: await databasesOf(sql, backup), hasSource: backup.source !== null };
  const options = { ...restore.options(input, held), ...withIdentity(input) };
  if (restore.usesServer) await databaseServer(sql, backup, serverId, options.server ?? null);
  await refuseUnreachable(services, sql, backup, serverId);
  return { serverId, options, key };
}

/**
 * Returns the id of the server that will read the backup. This is the requested server. If no server is
 * requested, it is the server that made the backup. Throws an {@link InvalidError} if the server that will
 * read the backup does not exist.
 */
export async function selectServer(
  sql: Sql,
  caller: Caller,
  backup: BackupRow,
  requested: number | undefined,
): Promise<number> {
  const id = requested ?? backup.remote_server_id;
  if (id === null) {
    throw new InvalidError({
      remote_server_id: ["The server that made the backup is deleted. Specify the server to use."],
    });
  }
  if (await findRemoteServerOf(sql, caller.workspaceId, id) === undefined) {
    throw new InvalidError({ remote_server_id: ["The selected remote server is invalid."] });
  }
  return id;
}

function withIdentity({ identity }: RestoreInput): Pick<StoredRestore, "with_identity"> {
  return identity === undefined ? {} : { with_identity: true };
}

/**
 * Throws an {@link InvalidError} if the request has fields that restores of the backup's source type do not
 * accept. The error names each of these fields.
 *
 * @param input The request.
 * @param fields The fields that restores of this source type accept.
 */
export function refuseForeignFields(
  input: Readonly<Record<string, unknown>>,
  { label, holds, taskType }: SourceDefinition,
  { fields }: Pick<RestoreDefinition, "fields">,
): void {
  const foreign = Object.keys(RESTORE_FIELDS).filter((field) =>
    input[field] !== undefined && !(field in fields)
  );
  if (foreign.length === 0) return;
  const held = (field: string) => fieldsOfTaskType(taskType).has(field) ? label : holds;
  const sentence = (field: string) =>
    `The ${field.replaceAll("_", " ")} field can't be used: the backup holds ${held(field)}.`;
  throw new InvalidError(Object.fromEntries(foreign.map((field) => [field, [sentence(field)]])));
}

/** Throws an {@link InvalidError} if databases of this type can't have the new name `name`. */
function refuseName(name: unknown, { nameProblem }: SourceDefinition): void {
  const problem = typeof name === "string" ? nameProblem?.([name]) ?? null : null;
  if (problem !== null) throw new InvalidError({ database_name: [`The database name field ${problem}.`] });
}

/** Returns the names of the restore fields that at least one source type with this `taskType` accepts. */
function fieldsOfTaskType(taskType: string): Set<string> {
  return new Set(
    DEFINITIONS.values().filter((each) => each.taskType === taskType)
      .flatMap(({ restore }) => isRestorable(restore) ? Object.keys(restore.fields) : []),
  );
}

async function databasesOf(sql: Sql, backup: BackupRow): Promise<string[]> {
  const objects = (await findBackupDetail(sql, backup.workspace_id, backup.id))?.objects ?? [];
  return objects.filter(({ role, database_name }) => role === "archive" && database_name !== null)
    .map(({ database_name }) => database_name!);
}

/**
 * Throws a {@link ConflictError} if the backup is on another server's disk and that server's agent can't send
 * it now. Without this check, the run would wait for two agents and fail much later, when the user no longer
 * watches.
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
  { serverId, options, key }: CheckedRestore,
): Promise<number> {
  const now = services.clock.now();
  const deadline = startDeadline(services, { created_at: now });
  const run = await insertRun(sql, {
    ...ownerColumns(ownerOf(backup)),
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
