/**
 * Checks the input fields of a task: the records that they refer to, and rules that concern several fields.
 */
import { relationsOf } from "../../definitions/fields/columns.ts";
import type { Input, NewInput } from "../../definitions/fields/field.ts";
import { TASK_FIELDS, type TaskFields } from "../../definitions/task_fields.ts";
import { encryptionConflict } from "../../domain/backup_task.ts";
import { InvalidError } from "../../domain/errors.ts";
import { objectDirectory } from "../../definitions/destinations/location.ts";
import {
  findBackupDestinationOf,
  holdBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import type { Sql } from "../../store/database/sql.ts";
import { ownedRecords, replaceRelated } from "../../store/database/relations.ts";
import { holdRemoteServer } from "../../store/agents/remote_servers.ts";

export type BackupTaskInput = Input<TaskFields>;
export type NewBackupTaskInput = NewInput<TaskFields>;

/** Checks the encryption that a task would have after a change. Returns the problems, by field. */
export function encryptionProblems(
  { encryption_password_encrypted, encryption_recipients }: {
    encryption_password_encrypted: string | null;
    encryption_recipients: string[];
  },
): Record<string, string[]> {
  const problems = encryptionConflict(encryption_password_encrypted !== null, encryption_recipients);
  return problems.length === 0 ? {} : { encryption_recipients: problems };
}

/**
 * Checks the records that the input refers to, and returns the problems by field. Each record must exist and
 * belong to the workspace. The message does not reveal which of these two conditions is not met. Locks the
 * records, so that nobody can delete them before the transaction ends.
 */
export async function referenceProblems(
  sql: Sql,
  workspaceId: number,
  input: BackupTaskInput,
): Promise<Record<string, string[]>> {
  const problems: Record<string, string[]> = {};
  const server = input.remote_server_id;
  if (server !== undefined && !(await holdRemoteServer(sql, workspaceId, server))) {
    problems.remote_server_id = ["The selected remote server is invalid."];
  }
  const destination = input.backup_destination_id;
  if (destination !== undefined && !(await holdBackupDestination(sql, workspaceId, destination))) {
    problems.backup_destination_id = ["The selected backup destination is invalid."];
  }
  for (const [name, relation] of relationsOf(TASK_FIELDS)) {
    const ids = relatedIds(input, name);
    const owned = ids.length === 0 ? null : await ownedRecords(sql, relation, workspaceId, ids);
    if (owned === null || ids.every((id) => owned.has(id))) continue;
    problems[name] = [`The selected ${relation.records.replaceAll("_", " ")} are invalid.`];
  }
  return problems;
}

/** Checks the directory in which a changed task would store its backups. Returns the problems by field. */
export async function locationProblems(
  sql: Sql,
  workspaceId: number,
  task: { backup_destination_id: number; store_path: string | null },
): Promise<Record<string, string[]>> {
  const destination = await findBackupDestinationOf(sql, workspaceId, task.backup_destination_id);
  if (destination === undefined) return {};
  try {
    objectDirectory(destination, task.store_path);
    return {};
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return error.errors;
  }
}

/** Stores the lists of related ids, such as tags, that are in `input`. */
export async function replaceRelations(sql: Sql, id: number, input: BackupTaskInput): Promise<void> {
  for (const [name, relation] of relationsOf(TASK_FIELDS)) {
    if (input[name as keyof BackupTaskInput] === undefined) continue;
    await replaceRelated(sql, relation, "backup_task_id", id, relatedIds(input, name));
  }
}

function relatedIds(input: BackupTaskInput, name: string): number[] {
  return (input[name as keyof BackupTaskInput] ?? []) as number[];
}
