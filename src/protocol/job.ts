/**
 * The description of a run that the control plane sends to an agent, in one message. A job is built when a
 * run is leased. The agent keeps it in memory only, since it holds passwords, and never writes it to the
 * journal.
 */
import * as z from "zod";
import { completeOptions, type Options, optionsSchema } from "../definitions/fields/options.ts";
import { TASK_RUN_FIELDS } from "../definitions/task_run_fields.ts";
import { SCRIPT_FAILURES, SCRIPT_TYPES } from "../definitions/script_fields.ts";
import { JOB_SHAPES } from "../definitions/destinations/registry.ts";
import { ENGINES, SOURCE_SHAPES, TARGET_SHAPES } from "../definitions/sources/registry.ts";
import { JobGuards, REPORTED_FINDINGS } from "./guards.ts";

/** Source of a backup: the shapes are those of the source types' definitions. */
export const JobSource = z.discriminatedUnion("type", SOURCE_SHAPES);
export type JobSource = z.infer<typeof JobSource>;

/** Where a backup goes: the shapes are those of the destination types' definitions. */
export const JobDestination = z.discriminatedUnion("type", JOB_SHAPES);
export type JobDestination = z.infer<typeof JobDestination>;

/**
 * A directory on another server's disk, read through the control plane (`GET /api/agent/objects`). Read only.
 */
export const RelayDestination = z.object({
  type: z.literal("relay"),
  /** The server whose agent has to be connected. */
  server: z.object({ id: z.number().int(), label: z.string() }),
  directory: z.string(),
});
export type RelayDestination = z.infer<typeof RelayDestination>;

/** Where a stored backup is read from. */
export const ReadDestination = z.discriminatedUnion("type", [...JobDestination.options, RelayDestination]);
export type ReadDestination = z.infer<typeof ReadDestination>;

/** How archives and their indexes are encrypted, in age's format. */
export const JobEncryption = z.discriminatedUnion("type", [
  z.object({ type: z.literal("none") }),
  z.object({ type: z.literal("password"), password: z.string() }),
  /** Public keys, `age1…`: the secret key of any one of them decrypts. */
  z.object({ type: z.literal("recipients"), recipients: z.array(z.string()).min(1) }),
]);
export type JobEncryption = z.infer<typeof JobEncryption>;
/** When a stalled run is reported, and when it ends. Left out by a control plane before version 3. */
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
  /** The system user that runs it; null: the agent's own. */
  run_as: z.string().nullable(),
  on_failure: z.enum(SCRIPT_FAILURES),
});
export type JobScript = z.infer<typeof JobScript>;

/** A backup run. Times are milliseconds, sizes are bytes. */
export const BackupJob = z.object({
  kind: z.literal("backup"),
  task: z.object({ id: z.number().int(), label: z.string() }),
  source: JobSource,
  destination: JobDestination,
  /** Objects are named `<prefix>[_<database>]_<stamp><extension>`; `stamp` is `YYYYMMDDHHMMSS` in UTC. */
  object: z.object({ prefix: z.string(), stamp: z.string() }),
  /** The system user that runs the source's programs; null: the agent's own. */
  run_as: z.string().nullable(),
  /** Missing in protocol 1. */
  encryption: JobEncryption.optional(),
  /** Protocol 1 only; null for none. */
  encryption_password: z.string().nullable().optional(),
  /** The task's last successful backup: for the ETA and for the size of an S3 part. */
  last: z.object({ bytes_read: z.number(), size: z.number() }).nullable(),
  timeout_ms: z.number().nullable(),
  /** Left out by a control plane that has no guards. */
  guards: JobGuards.optional(),
  /**
   * True: the control plane records incomplete backups. Otherwise a run fails if it must leave something out.
   */
  accepts_incomplete: z.boolean().optional(),
  watch: JobWatch.optional(),
  /** How long a dump waits for a lock; left out: without limit. */
  lock_wait_ms: z.number().positive().optional(),
  /** Fields of the task, as they are. Left out by a control plane that sends none. */
  options: optionsSchema(TASK_RUN_FIELDS).optional(),
  /** In the task's order. Sent to agents of protocol 5 and later only; left out if there are none. */
  scripts: z.array(JobScript).optional(),
});
export type BackupJob = z.infer<typeof BackupJob>;

export type JobOptions = Options<typeof TASK_RUN_FIELDS>;

/** Returns the job's options, with defaults for those that are left out. */
export function jobOptions({ options }: Pick<BackupJob, "options">): JobOptions {
  return completeOptions(TASK_RUN_FIELDS, options);
}

/**
 * Returns the job's encryption. Throws if the job has none, so that no backup is stored unencrypted by
 * mistake.
 */
export function jobEncryption(job: Pick<BackupJob, "encryption" | "encryption_password">): JobEncryption {
  if (job.encryption !== undefined) return job.encryption;
  const password = job.encryption_password;
  if (password === undefined) {
    throw new Error("Cannot run the backup: the job does not say how to encrypt it");
  }
  return password === null ? { type: "none" } : { type: "password", password };
}

/** A file name. It can't lead out of its directory, nor to another object in it. */
export const ObjectName = z.string().min(1).max(1024).refine(
  (name) => name !== "." && name !== ".." && !/[/\0]/.test(name),
  { error: "is no file name" },
);

/** Maximum objects of one backup. More would mean thousands of databases. */
export const MAX_OBJECTS = 5000;

/** One stored object. `size` in bytes and `sha256` in hex are those of the bytes that the agent sent. */
export const StoredObject = z.object({
  role: z.enum(["archive", "index", "manifest"]),
  /** Without the directory. */
  name: ObjectName,
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The database an archive or index holds; null for files and for the manifest. */
  database: z.string().nullable(),
});
export type StoredObject = z.infer<typeof StoredObject>;

/** The manifest's description of the source: its `type`, and the fields that identify it. Never a secret. */
export const SourceDescription = z.looseObject({ type: z.string().max(64) });
export type SourceDescription = z.infer<typeof SourceDescription>;

/** Something that should have been backed up and is missing from the backup, such as a database. */
export const Missing = z.object({
  name: z.string().min(1).max(1024),
  /** One line. */
  reason: z.string().max(4096),
});
export type Missing = z.infer<typeof Missing>;

/** The result of a successful backup run. `size` is the sum of its archives. */
export const StoredBackup = z.object({
  objects: z.array(StoredObject).min(1).max(MAX_OBJECTS),
  size: z.number().int().nonnegative(),
  bytes_read: z.number().int().nonnegative(),
  files_count: z.number().int().nonnegative().nullable(),
  engine: z.enum(ENGINES),
  encrypted: z.boolean(),
  /** Program name to version, as the program prints it. */
  tools: z.record(z.string(), z.string()),
  duration_ms: z.number().int().nonnegative(),
  /** Missing before protocol 2. */
  source: SourceDescription.optional(),
  /**
   * From 0 to 1: the part of `bytes_read` in frames that did not compress. Left out by agents that don't
   * measure it.
   */
  incompressible_share: z.number().min(0).max(1).nullable().optional(),
  ...REPORTED_FINDINGS,
  /** Names that had to be left out. Empty or absent: the backup is complete. */
  missing: z.array(Missing).max(MAX_OBJECTS).optional(),
});
export type StoredBackup = z.infer<typeof StoredBackup>;

/** The backup that a job reads. */
export const BackupToRead = z.object({
  id: z.number().int(),
  /** ISO 8601 UTC. */
  created_at: z.string(),
  objects: z.array(StoredObject).min(1),
  files_count: z.number().int().nullable(),
  /** Null if the agent that made it was too old to report it. */
  source: SourceDescription.nullable(),
  /** The destination that holds its objects. */
  destination: ReadDestination,
  /** Decrypts its archives and indexes; null if they are not encrypted. */
  key: z.discriminatedUnion("type", [
    z.object({ type: z.literal("passphrase"), passphrase: z.string() }),
    /** One or more age identities, `AGE-SECRET-KEY-1…`, one a line. */
    z.object({ type: z.literal("identity"), identity: z.string() }),
  ]).nullable(),
});
export type BackupToRead = z.infer<typeof BackupToRead>;

/** Where a backup is restored to: the shapes are those of the source types' definitions. */
export const RestoreTarget = z.discriminatedUnion("type", TARGET_SHAPES);
export type RestoreTarget = z.infer<typeof RestoreTarget>;

/** A restore run. */
export const RestoreJob = z.object({
  kind: z.literal("restore"),
  /** Null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  target: RestoreTarget,
  /** Null: no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type RestoreJob = z.infer<typeof RestoreJob>;

/** A verification run reads all of a backup back. */
export const VerifyJob = z.object({
  kind: z.literal("verify"),
  /** Null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  /** Null: no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type VerifyJob = z.infer<typeof VerifyJob>;

/**
 * A restore drill restores a backup into a scratch location, compares it with its own description, and
 * deletes the result.
 */
export const DrillJob = z.object({
  kind: z.literal("drill"),
  /** Null once the task is deleted. */
  task: z.object({ id: z.number().int(), label: z.string() }).nullable(),
  backup: BackupToRead,
  /** Uncompressed bytes: the disk space that a drill of files needs. */
  bytes_read: z.number().int().nonnegative(),
  /** Where databases are restored to, under temporary names. Left out for files. */
  target: RestoreTarget.optional(),
  /** Null: no limit. */
  timeout_ms: z.number().positive().nullable(),
  watch: JobWatch.optional(),
});
export type DrillJob = z.infer<typeof DrillJob>;

export const Job = z.discriminatedUnion("kind", [BackupJob, RestoreJob, VerifyJob, DrillJob]);
export type Job = z.infer<typeof Job>;

/** The result of a successful restore run. */
export const Restored = z.object({
  /** Null if files are not counted. */
  files_count: z.number().int().nonnegative().nullable(),
  /** Stored bytes read. */
  bytes_read: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
});
export type Restored = z.infer<typeof Restored>;

/** The result of a successful verification run. */
export const Verified = z.object({
  /** Null if files are not counted. */
  files_count: z.number().int().nonnegative().nullable(),
  /** False if only sizes and digests could be checked, because the control plane has no key. */
  is_opened: z.boolean(),
  /** Stored bytes read. */
  bytes_read: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
});
export type Verified = z.infer<typeof Verified>;

/** The result of a successful drill. */
export const Proven = z.object({
  /** Files and directories; null if databases were restored. */
  files_count: z.number().int().nonnegative().nullable(),
  /** Stored bytes read. */
  bytes_read: z.number().int().nonnegative(),
  /** The restore only. */
  restore_ms: z.number().int().nonnegative(),
  duration_ms: z.number().int().nonnegative(),
});
export type Proven = z.infer<typeof Proven>;
