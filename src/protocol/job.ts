/**
 * The job of a run: what an agent needs to execute the run, in one message from the control plane. A job is
 * built when its run is dispatched. It contains passwords. So the agent keeps it only in memory, and never
 * writes it to the journal.
 */
import * as z from "zod";
import { completeOptions, type Options, optionsSchema } from "../definitions/fields/options.ts";
import { TASK_RUN_FIELDS } from "../definitions/task_run_fields.ts";
import { SCRIPT_FAILURES, SCRIPT_TYPES } from "../definitions/script_fields.ts";
import { JOB_SHAPES } from "../definitions/destinations/registry.ts";
import { ENGINES, SOURCE_SHAPES, TARGET_SHAPES } from "../definitions/sources/registry.ts";
import { JobGuards, REPORTED_FINDINGS } from "./guards.ts";
import { RestoreReport } from "./restore_report.ts";

/** The source of a backup, in the form that the source type's definition gives. */
export const JobSource = z.discriminatedUnion("type", SOURCE_SHAPES);
export type JobSource = z.infer<typeof JobSource>;

/** The destination of a backup. The definition of the destination type determines the fields. */
export const JobDestination = z.discriminatedUnion("type", JOB_SHAPES);
export type JobDestination = z.infer<typeof JobDestination>;

/**
 * A directory on the disk of another server. The agent that runs the job reads the directory's objects
 * through the control plane (`GET /api/agent/objects`). It cannot write to the directory.
 */
export const RelayDestination = z.object({
  type: z.literal("relay"),
  /** The server with the directory. Its agent has to be connected. */
  server: z.object({ id: z.number().int(), label: z.string() }),
  directory: z.string(),
});
export type RelayDestination = z.infer<typeof RelayDestination>;

/** The destination from which a stored backup is read. */
export const ReadDestination = z.discriminatedUnion("type", [...JobDestination.options, RelayDestination]);
export type ReadDestination = z.infer<typeof ReadDestination>;

/** How archives and their indexes are encrypted, in age's format. */
export const JobEncryption = z.discriminatedUnion("type", [
  z.object({ type: z.literal("none") }),
  z.object({ type: z.literal("password"), password: z.string() }),
  /** Public keys, `age1…`. The secret key of any one of them decrypts the backup. */
  z.object({ type: z.literal("recipients"), recipients: z.array(z.string()).min(1) }),
]);
export type JobEncryption = z.infer<typeof JobEncryption>;
/**
 * Limits for a run without progress, in milliseconds. After the first limit, the agent reports the run.
 * After the second limit, the agent ends the run. Control planes before version 3 do not send the limits.
 */
export const JobWatch = z.object({
  stall_warning_ms: z.number().positive(),
  stall_timeout_ms: z.number().positive(),
});
export type JobWatch = z.infer<typeof JobWatch>;

/** A script of the task, as it was when the run was dispatched. */
export const JobScript = z.object({
  id: z.number().int(),
  label: z.string(),
  type: z.enum(SCRIPT_TYPES),
  text: z.string(),
  timeout_ms: z.number().positive(),
  /** System user that runs the script; null for the agent's own user. */
  run_as: z.string().nullable(),
  on_failure: z.enum(SCRIPT_FAILURES),
});
export type JobScript = z.infer<typeof JobScript>;

/** The job of a backup run. Times are in milliseconds, sizes in bytes. */
export const BackupJob = z.object({
  kind: z.literal("backup"),
  task: z.object({ id: z.number().int(), label: z.string() }),
  source: JobSource,
  destination: JobDestination,
  /** Objects are named `<prefix>[_<database>]_<stamp><extension>`. `stamp` is `YYYYMMDDHHMMSS` in UTC. */
  object: z.object({ prefix: z.string(), stamp: z.string() }),
  /** System user that runs the source's programs; null for the agent's own user. */
  run_as: z.string().nullable(),
  /** How to encrypt the backup; absent in protocol 1. */
  encryption: JobEncryption.optional(),
  /**
   * Password that encrypts the backup; null for no encryption. Only in protocol 1; later versions use
   * `encryption`.
   */
  encryption_password: z.string().nullable().optional(),
  /**
   * Stats of the task's last successful backup; null if there is none. The agent estimates the remaining time
   * and the size of an S3 part from them.
   */
  last: z.object({ bytes_read: z.number(), size: z.number() }).nullable(),
  timeout_ms: z.number().nullable(),
  /** The task's guards. Absent from control planes that have no guards. */
  guards: JobGuards.optional(),
  /**
   * Whether the control plane records incomplete backups. If false or absent, a run fails if it has to leave
   * something out.
   */
  accepts_incomplete: z.boolean().optional(),
  watch: JobWatch.optional(),
  /** How long a dump waits for a lock; absent for no limit. */
  lock_wait_ms: z.number().positive().optional(),
  /** Values of task fields, sent to the agent unchanged. Absent if the control plane sends no such values. */
  options: optionsSchema(TASK_RUN_FIELDS).optional(),
  /** Scripts in the task's order; absent if there are none. Sent only to agents of protocol 5 and later. */
  scripts: z.array(JobScript).optional(),
});
export type BackupJob = z.infer<typeof BackupJob>;

export type JobOptions = Options<typeof TASK_RUN_FIELDS>;

/** Returns the job's options, with default values for absent ones. */
export function jobOptions({ options }: Pick<BackupJob, "options">): JobOptions {
  return completeOptions(TASK_RUN_FIELDS, options);
}

/**
 * Returns the encryption of the job's backup. Throws if the job does not say how to encrypt, so that no
 * backup is stored unencrypted by mistake.
 */
export function jobEncryption(job: Pick<BackupJob, "encryption" | "encryption_password">): JobEncryption {
  if (job.encryption !== undefined) return job.encryption;
  const password = job.encryption_password;
  if (password === undefined) {
    throw new Error("Cannot run the backup: the job does not say how to encrypt it");
  }
  return password === null ? { type: "none" } : { type: "password", password };
}

/** Name of a file in the directory of its backup. It can't lead to another directory. */
export const ObjectName = z.string().min(1).max(1024).refine(
  (name) => name !== "." && name !== ".." && !/[/\0]/.test(name),
  { error: "is no file name" },
);

/** Maximum number of objects in one backup. Only thousands of databases would need more. */
export const MAX_OBJECTS = 5000;

/**
 * A stored object. `size` is in bytes and `sha256` in hexadecimal. Both describe the bytes that the agent
 * sent.
 */
export const StoredObject = z.object({
  role: z.enum(["archive", "index", "manifest"]),
  /** File name without the directory. */
  name: ObjectName,
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Name of the database in an archive or index; null for files, and for the manifest. */
  database: z.string().nullable(),
});
export type StoredObject = z.infer<typeof StoredObject>;

/**
 * The manifest's description of the source: its type, and the fields that identify it. It never contains a
 * secret.
 */
export const SourceDescription = z.looseObject({ type: z.string().max(64) });
export type SourceDescription = z.infer<typeof SourceDescription>;

/** Something that should have been backed up and is missing from the backup, such as a database. */
export const Missing = z.object({
  name: z.string().min(1).max(1024),
  /** Why it is missing, in one line. */
  reason: z.string().max(4096),
});
export type Missing = z.infer<typeof Missing>;

/**
 * Free and total space of a destination, in bytes. This is the space of the destination's file system, or of
 * the account's quota at the destination.
 */
export const DestinationSpace = z.object({
  /** Free space that the agent may use. */
  free: z.number().int().nonnegative(),
  total: z.number().int().nonnegative(),
});
export type DestinationSpace = z.infer<typeof DestinationSpace>;

/** The result of a successful backup run. `size` is the sum of its archives' sizes, in bytes. */
export const StoredBackup = z.object({
  objects: z.array(StoredObject).min(1).max(MAX_OBJECTS),
  size: z.number().int().nonnegative(),
  bytes_read: z.number().int().nonnegative(),
  files_count: z.number().int().nonnegative().nullable(),
  engine: z.enum(ENGINES),
  encrypted: z.boolean(),
  /** Versions of the programs that made the backup, by name. Each version is as the program prints it. */
  tools: z.record(z.string(), z.string()),
  duration_ms: z.number().int().nonnegative(),
  /** Description of the source. Absent before protocol 2. */
  source: SourceDescription.optional(),
  /**
   * Fraction of `bytes_read` in frames that did not compress, from 0 to 1. Absent from agents that don't
   * measure it.
   */
  incompressible_share: z.number().min(0).max(1).nullable().optional(),
  ...REPORTED_FINDINGS,
  /** What could not be backed up, such as databases, and why. Empty or absent if the backup is complete. */
  missing: z.array(Missing).max(MAX_OBJECTS).optional(),
  /** Number of files that could not be read, and are missing from the archive. Absent if there are none. */
  unreadable_count: z.number().int().positive().optional(),
  /**
   * Space at the destination. Absent if the destination does not report its space. Also absent if the agent
   * is too old to report it.
   */
  space: DestinationSpace.optional(),
});
export type StoredBackup = z.infer<typeof StoredBackup>;

/** The backup that a job reads. */
export const BackupToRead = z.object({
  id: z.number().int(),
  /** When the backup was stored, in ISO 8601 UTC. */
  created_at: z.string(),
  objects: z.array(StoredObject).min(1),
  files_count: z.number().int().nullable(),
  /** Description of the source; null if the agent that made the backup was too old to report it. */
  source: SourceDescription.nullable(),
  /** The destination where the backup's objects are stored. */
  destination: ReadDestination,
  /** Key that decrypts the archives and indexes; null if they are not encrypted. */
  key: z.discriminatedUnion("type", [
    z.object({ type: z.literal("passphrase"), passphrase: z.string() }),
    /** Secret keys of age, `AGE-SECRET-KEY-1…`, one on each line. */
    z.object({ type: z.literal("identity"), identity: z.string() }),
  ]).nullable(),
});
export type BackupToRead = z.infer<typeof BackupToRead>;

/** Where a backup is restored to, in the form that the source type's definition gives. */
export const RestoreTarget = z.discriminatedUnion("type", TARGET_SHAPES);
export type RestoreTarget = z.infer<typeof RestoreTarget>;

/** The job of a restore run. */
export const RestoreJob = z.object({
  kind: z.literal("restore"),
  /** The task that made the backup; null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  target: RestoreTarget,
  /** Time limit of the run in milliseconds; null for no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type RestoreJob = z.infer<typeof RestoreJob>;

/** The job of a verification run. It reads a whole backup back. */
export const VerifyJob = z.object({
  kind: z.literal("verify"),
  /** The task that made the backup; null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  /** Time limit of the run in milliseconds; null for no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type VerifyJob = z.infer<typeof VerifyJob>;

/**
 * The job of a drill. A drill restores a backup to a temporary location, compares the result with the
 * backup's description, and deletes the result.
 */
export const DrillJob = z.object({
  kind: z.literal("drill"),
  /** The task that made the backup; null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  /** Size of the uncompressed data in bytes. A drill of files needs this much disk space. */
  bytes_read: z.number().int().nonnegative(),
  /** Where databases are restored to, under temporary names; absent for files. */
  target: RestoreTarget.optional(),
  /** Time limit of the run in milliseconds; null for no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type DrillJob = z.infer<typeof DrillJob>;

export const Job = z.discriminatedUnion("kind", [BackupJob, RestoreJob, VerifyJob, DrillJob]);
export type Job = z.infer<typeof Job>;

/** The result of a successful restore run. */
export const Restored = z.object({
  /** Number of files; null if they are not counted. */
  files_count: z.number().int().nonnegative().nullable(),
  /** Number of bytes that were read from the backup's objects. */
  bytes_read: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
  /** The counts of the request and of the result. Absent from older agents. */
  report: RestoreReport.optional(),
});
export type Restored = z.infer<typeof Restored>;

/** The result of a successful verification run. */
export const Verified = z.object({
  /** Number of files; null if they are not counted. */
  files_count: z.number().int().nonnegative().nullable(),
  /**
   * Whether the archives were decrypted. If false, the control plane had no key, and only sizes and digests
   * were checked.
   */
  is_opened: z.boolean(),
  /** Number of objects whose size and SHA-256 were compared. Absent from agents before version 7. */
  objects_count: z.number().int().nonnegative().optional(),
  /** Number of bytes that were read from the backup's objects. */
  bytes_read: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
});
export type Verified = z.infer<typeof Verified>;

/** Maximum number of databases that the result of a drill describes. */
export const MAX_PROVEN_DATABASES = 1000;

/** A database that was restored by a drill, and that equals the original. */
export const ProvenDatabase = z.object({
  name: z.string().max(1024),
  tables_count: z.number().int().nonnegative(),
  /** Number of rows that were compared; null if the backup does not record them. */
  rows_count: z.number().int().nonnegative().nullable(),
});
export type ProvenDatabase = z.infer<typeof ProvenDatabase>;

/** The result of a successful drill. */
export const Proven = z.object({
  /** Number of restored files and directories; null if databases were restored. */
  files_count: z.number().int().nonnegative().nullable(),
  /** Number of bytes that were read from the backup's objects. */
  bytes_read: z.number().int().nonnegative(),
  /** The restored databases; absent if files were restored, and from agents before version 7. */
  databases: z.array(ProvenDatabase).max(MAX_PROVEN_DATABASES).optional(),
  /** Duration of the restore alone, in milliseconds. */
  restore_ms: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
});
export type Proven = z.infer<typeof Proven>;
