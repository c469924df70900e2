/** Builds backup jobs from database rows. Stored secrets are decrypted only here and in `restore_jobs.ts`. */
import { optionsOf } from "../../definitions/fields/options.ts";
import { TASK_RUN_FIELDS } from "../../definitions/task_run_fields.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import { InvalidError } from "../../domain/errors.ts";
import type { GuardHistory } from "../../domain/guards/guard.ts";
import { DEFAULT_ACTIONS } from "../../domain/guards/registry.ts";
import type { Secrets } from "../../definitions/destinations/definition.ts";
import { objectDirectory } from "../../definitions/destinations/location.ts";
import type { SourceDefinition, SourceSecrets } from "../../definitions/sources/definition.ts";
import { definitionOfTask } from "../../definitions/sources/registry.ts";
import { definitionOf, type DestinationType } from "../../definitions/destinations/registry.ts";
import type { BackupJob, JobDestination, JobEncryption, JobScript, JobSource } from "../../protocol/job.ts";
import { jobGuards } from "../../protocol/guards.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import type { BackupDestinationRow } from "../../store/destinations/backup_destinations.ts";
import type { ScriptRow } from "../../store/tasks/scripts.ts";
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";
import type { RemoteServerRow } from "../../store/agents/remote_servers.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import type { Sql } from "../../store/database/sql.ts";
import { knowsSource } from "./known_sources.ts";
import type { RunRow } from "../../store/runs/runs.ts";

/**
 * Returns a destination as it is sent to an agent. For a bucket, the result contains no secrets. For any
 * other destination, it contains the decrypted secrets.
 */
export function jobDestination(
  { type, settings, secrets }: BackupDestinationRow,
  directory: string,
  keyring: Keyring,
): JobDestination {
  const definition = definitionOf(type);
  // For a bucket, the control plane signs the requests, so the agent needs no secrets.
  const opened = definition.reach === "control_plane" ? {} : openedSecrets(secrets, keyring);
  return definition.job(settings, opened, directory) as JobDestination;
}

/** Decrypts all secrets. Throws a `SecretError` if the keyring lacks the key of a secret. */
export function openedSecrets(secrets: Secrets, keyring: Keyring): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, sealed]) => [name, keyring.decrypt(sealed!)]),
  );
}

/**
 * Returns where a run stores its objects, as recorded when the run was dispatched. The task might have
 * changed since then.
 */
export async function runDestination(
  sql: Sql,
  run: RunRow,
): Promise<{ destinationId: number; type: DestinationType; directory: string }> {
  const destination = await findBackupDestination(sql, run.backup_destination_id ?? 0);
  if (destination === undefined || run.object_directory === null) {
    throw new Error(`Cannot place the objects of run ${run.id}: its destination is deleted`);
  }
  return { destinationId: destination.id, type: destination.type, directory: run.object_directory };
}

export interface JobRows {
  task: BackupTaskRow;
  server: RemoteServerRow;
  destination: BackupDestinationRow;
  last: { bytes_read: number; size: number } | null;
  history: GuardHistory;
  scripts: readonly ScriptRow[];
}

/**
 * Builds a backup job. Throws an {@link InvalidError} if the task's directory is invalid, or if the agent is
 * too old. Throws a `SecretError` if a secret can't be decrypted.
 */
export function backupJob(
  rows: JobRows,
  keyring: Keyring,
  object: { prefix: string; stamp: string },
): { job: BackupJob; directory: string } {
  const { task, server, destination, last, history, scripts } = rows;
  const directory = objectDirectory(destination, task.store_path);
  return {
    directory,
    job: {
      kind: "backup",
      task: { id: task.id, label: task.label },
      source: jobSource(task, server, keyring),
      destination: jobDestination(destination, directory, keyring),
      object,
      run_as: task.isolated_username,
      ...encryptionFor(server, taskEncryption(task, keyring)),
      last,
      timeout_ms: task.run_timeout === null ? null : task.run_timeout * 1000,
      accepts_incomplete: true,
      options: optionsOf(TASK_RUN_FIELDS, task),
      guards: jobGuards({ ...DEFAULT_ACTIONS, ...task.guards }, history),
      ...scripts.length === 0 ? {} : { scripts: scripts.map(jobScript) },
    },
  };
}

function jobScript({ id, label, type, script, timeout_seconds, run_as, on_failure }: ScriptRow): JobScript {
  return { id, label, type, text: script, timeout_ms: timeout_seconds * 1000, run_as, on_failure };
}

function taskEncryption(task: BackupTaskRow, keyring: Keyring): JobEncryption {
  const recipients = task.encryption_recipients;
  if (recipients.length > 0) return { type: "recipients", recipients };
  const password = keyring.decryptOptional(task.encryption_password_encrypted);
  return password === null ? { type: "none" } : { type: "password", password };
}

/**
 * Returns the encryption as the agent's protocol version expects it. An agent of version 1 would ignore
 * recipients. So this function throws an {@link InvalidError} if the task has recipients and the agent has
 * version 1.
 */
function encryptionFor(
  { agent_protocol, label }: RemoteServerRow,
  encryption: JobEncryption,
): Pick<BackupJob, "encryption" | "encryption_password"> {
  if ((agent_protocol ?? PROTOCOL_VERSION) > 1) return { encryption };
  if (encryption.type === "recipients") {
    throw new InvalidError({
      encryption_recipients: [
        `The agent of ${label} is too old to encrypt to recipients. Install its current version, then run the task again.`,
      ],
    });
  }
  return { encryption_password: encryption.type === "password" ? encryption.password : null };
}

/**
 * Builds the source of a backup job. Throws an {@link InvalidError} if the agent does not support the source
 * type.
 */
function jobSource(task: BackupTaskRow, server: RemoteServerRow, keyring: Keyring): JobSource {
  const definition = definitionOfTask(task)!;
  if (!knowsSource(server, task)) {
    throw new InvalidError({
      type: [
        `The agent of ${server.label} is too old to back up ${definition.label}. Install its current version.`,
      ],
    });
  }
  const values = sourceValues(task);
  return definition.job(values, sourceSecrets(definition, values, { ...server }, keyring)) as JobSource;
}

/**
 * Returns the decrypted secrets of a source, by field. If the task does not set a secret, the secret comes
 * from the task's remote server.
 */
function sourceSecrets(
  { fields }: SourceDefinition,
  task: Readonly<Record<string, unknown>>,
  server: Readonly<Record<string, unknown>>,
  keyring: Keyring,
): SourceSecrets {
  const secrets = Object.keys(fields).filter((name) => fields[name]!.isSecret);
  return Object.fromEntries(secrets.map((name) => {
    const sealed = task[name] ?? server[`${name}_encrypted`] ?? null;
    return [name, keyring.decryptOptional(sealed as string | null)];
  }));
}
