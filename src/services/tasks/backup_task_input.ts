/** A task's fields as callers send them, made columns. */
import { encryptionConflict, type ScheduleFields } from "../../domain/backup_task.ts";
import { InvalidError } from "../../domain/errors.ts";
import { objectDirectory } from "../../domain/location.ts";
import { KEEP_RULES } from "../../domain/retention.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import {
  findBackupDestinationOf,
  holdBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { type BackupTaskRow, ownedNotificationStreams, ownedTags } from "../../store/tasks/backup_tasks.ts";
import type { Sql } from "../../store/database/sql.ts";
import { holdRemoteServer } from "../../store/agents/remote_servers.ts";

/** Columns that hold what was sent, as it was sent. */
const PLAIN = [
  "remote_server_id",
  "backup_destination_id",
  "label",
  "description",
  "type",
  "source_path",
  "excluded_paths",
  "allow_unreadable",
  "database_name",
  "database_type",
  "database_host",
  "database_port",
  "database_username",
  "database_format",
  "excluded_database_tables",
  "maximum_backups_to_keep",
  "minimum_age_days",
  ...KEEP_RULES,
  "appended_file_name",
  "store_path",
  "isolated_username",
  "run_timeout",
  "stall_warning",
  "stall_timeout",
  "lock_wait_timeout",
  "overdue_after",
  "encryption_recipients",
  "on_shrink",
  "on_incompressible",
  "verify_every",
  "drill_every",
] as const satisfies (keyof BackupTaskRow)[];

/** Encrypted into `<name>_encrypted`. */
const SECRET = ["database_password", "isolated_password", "encryption_password"] as const;

/** What each may be left out of; null clears what can be empty. Formats are the schema's business. */
export type BackupTaskInput =
  & Partial<Pick<BackupTaskRow, typeof PLAIN[number]>>
  & Partial<Record<typeof SECRET[number], string | null>>
  & Partial<ScheduleFields>
  & { timezone?: string; tag_ids?: number[]; notification_stream_ids?: number[] };

type SecretColumns = { [K in typeof SECRET[number] as `${K}_encrypted`]: string | null };
type TaskColumns = Pick<BackupTaskRow, typeof PLAIN[number]> & SecretColumns;

/** What a new task has where nothing is sent. */
const DEFAULTS = {
  description: null,
  source_path: null,
  excluded_paths: [],
  allow_unreadable: false,
  database_name: null,
  database_type: null,
  database_host: null,
  database_port: null,
  database_username: null,
  database_password_encrypted: null,
  database_format: "custom",
  excluded_database_tables: null,
  maximum_backups_to_keep: 0,
  keep_last: null,
  keep_hourly: null,
  keep_daily: null,
  keep_weekly: null,
  keep_monthly: null,
  keep_yearly: null,
  minimum_age_days: null,
  appended_file_name: null,
  store_path: null,
  isolated_username: null,
  isolated_password_encrypted: null,
  encryption_password_encrypted: null,
  encryption_recipients: [],
  run_timeout: null,
  stall_warning: null,
  stall_timeout: null,
  lock_wait_timeout: null,
  overdue_after: null,
  on_shrink: "warn",
  on_incompressible: "warn",
  verify_every: 7,
  drill_every: 30,
} satisfies Partial<TaskColumns>;

/** The columns of a new task but its schedule and references. */
export function newTaskColumns(
  keyring: Keyring,
  input: BackupTaskInput,
): typeof DEFAULTS & Partial<TaskColumns> {
  return { ...DEFAULTS, ...taskColumns(keyring, input) } as typeof DEFAULTS & Partial<TaskColumns>;
}

/** The columns that `input` names, schedule and relations apart. */
export function taskColumns(keyring: Keyring, input: BackupTaskInput): Partial<TaskColumns> {
  const columns: Record<string, unknown> = {};
  for (const field of PLAIN) if (input[field] !== undefined) columns[field] = input[field];
  for (const field of SECRET) {
    const value = input[field];
    if (value !== undefined) columns[`${field}_encrypted`] = keyring.encryptOptional(value);
  }
  return columns;
}

/** Of a task as it would be. */
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
 * References to records that are not there, or are somebody else's: the two look the same. What is there can't be
 * deleted until the transaction ends.
 */
export async function referenceProblems(
  sql: Sql,
  userId: number,
  input: BackupTaskInput,
): Promise<Record<string, string[]>> {
  const problems: Record<string, string[]> = {};
  const server = input.remote_server_id;
  if (server !== undefined && !(await holdRemoteServer(sql, userId, server))) {
    problems.remote_server_id = ["The selected remote server is invalid."];
  }
  const destination = input.backup_destination_id;
  if (destination !== undefined && !(await holdBackupDestination(sql, userId, destination))) {
    problems.backup_destination_id = ["The selected backup destination is invalid."];
  }
  if (!(await ownsAll(input.tag_ids, (ids) => ownedTags(sql, userId, ids)))) {
    problems.tag_ids = ["The selected tags are invalid."];
  }
  const ownsStreams = await ownsAll(
    input.notification_stream_ids,
    (ids) => ownedNotificationStreams(sql, userId, ids),
  );
  if (!ownsStreams) problems.notification_stream_ids = ["The selected notification streams are invalid."];
  return problems;
}

/** Returns what is wrong with the directory to which a changed task would write. */
export async function locationProblems(
  sql: Sql,
  userId: number,
  task: { backup_destination_id: number; store_path: string | null },
): Promise<Record<string, string[]>> {
  const destination = await findBackupDestinationOf(sql, userId, task.backup_destination_id);
  if (destination === undefined) return {};
  try {
    objectDirectory(destination, task.store_path);
    return {};
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return error.errors;
  }
}

async function ownsAll(
  ids: readonly number[] | undefined,
  owned: (ids: readonly number[]) => Promise<Set<number>>,
): Promise<boolean> {
  if (ids === undefined || ids.length === 0) return true;
  const known = await owned(ids);
  return ids.every((id) => known.has(id));
}
