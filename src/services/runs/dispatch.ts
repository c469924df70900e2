/** Dispatches queued runs to agents: leases each run, starts an attempt, and builds the job to send. */
import { ConflictError, DomainError, InvalidError } from "../../domain/errors.ts";
import { DEFINITIONS, restoreOfOptions, typeOfEngine } from "../../definitions/sources/registry.ts";
import type { StoredRestore } from "../../domain/restore.ts";
import { objectPrefix, objectStamp } from "../../domain/run.ts";
import type { Job } from "../../protocol/job.ts";
import { PROTOCOL_SCRIPTS, PROTOCOL_VERSION } from "../../protocol/version.ts";
import { SecretError } from "../../secrets/keyring.ts";
import { guardHistory } from "../../store/backups/backup_history.ts";
import { lastBackupStats } from "../../store/backups/backup_records.ts";
import { findBackupDetail } from "../../store/backups/backups.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { findBackupTask } from "../../store/tasks/backup_tasks.ts";
import { type ScriptRow, scriptsOfTask } from "../../store/tasks/scripts.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findRemoteServer, type RemoteServerRow } from "../../store/agents/remote_servers.ts";
import {
  countAssignedRuns,
  insertAttempt,
  lockQueuedRuns,
  lockServerLimit,
  newestObjectStamp,
  type RunChange,
  type RunRow,
  serversWithQueuedRuns,
} from "../../store/runs/runs.ts";
import { logger } from "../../telemetry/logging.ts";
import type { ServiceContext } from "../context.ts";
import { backupJob } from "../jobs/jobs.ts";
import { knowsType } from "../jobs/known_sources.ts";
import { drillJob, restoreJob, verifyJob } from "../jobs/restore_jobs.ts";
import { applyToRun } from "./run_state.ts";
import { watchOf } from "./run_limits.ts";

export interface Assignment {
  remoteServerId: number;
  runId: number;
  attempt: number;
  job: Job;
  /** W3C trace header of the dispatch's span, if the run is traced. */
  traceparent?: string;
}

/**
 * Maximum size of a job's scripts as JSON, in bytes. It leaves room for the rest of the message, because a
 * frame has at most 1 MiB.
 */
const MAX_SCRIPTS_BYTES = 640 * 1024;
/**
 * Maximum number of transactions that lease runs at the same time, one for each server. The limit keeps some
 * connections of the database pool free.
 */
const MAX_CONCURRENT_SERVERS = 4;

/**
 * Leases the queued runs of these servers, up to each server's limit of parallel runs. Returns all leased
 * runs.
 *
 * Calls `offer` for each run as soon as the runs of its server are leased, without waiting for the other
 * servers. Waiting could take long, and an agent has limited time to accept a leased run.
 */
export async function claimAssignments(
  services: ServiceContext,
  serverIds: readonly number[],
  offer: (assignment: Assignment) => void = () => {},
): Promise<Assignment[]> {
  const waiting = await serversWithQueuedRuns(services.database, serverIds);
  const claimed: Assignment[] = [];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const ofServer = await claimOfServer(services, id);
      ofServer.forEach(offer);
      claimed.push(...ofServer);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: MAX_CONCURRENT_SERVERS }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return claimed;
}

function claimOfServer(services: ServiceContext, serverId: number): Promise<Assignment[]> {
  return transaction(services.database, async (sql) => {
    // The lock keeps the number of assigned runs valid until this transaction ends.
    const limit = await lockServerLimit(sql, serverId);
    if (limit === null) return [];
    const inHand = await countAssignedRuns(sql, serverId);
    const claimed: Assignment[] = [];
    const queued = await Promise.all([
      lockQueuedRuns(sql, serverId, "transfer", limit - inHand.transfer),
      // Verifications and drills take hours and are not urgent. They have their own slot, so they never delay
      // backups.
      lockQueuedRuns(sql, serverId, "verification", 1 - inHand.verification),
    ]);
    for (const run of queued.flat()) {
      const assignment = await assign(services, sql, run);
      if (assignment !== null) claimed.push(assignment);
    }
    return claimed;
  });
}

/**
 * Leases a run and returns its assignment. Returns null if the run still waits for its transient secret. If
 * no job can be built for the run, fails the run and returns null.
 */
async function assign(services: ServiceContext, sql: Sql, run: RunRow): Promise<Assignment | null> {
  const transient = needsIdentity(run) ? await services.transientSecrets.get(sql, `run ${run.id}`) : null;
  if (transient?.state === "requested") return null;
  let made: Awaited<ReturnType<typeof buildJob>>;
  try {
    if (transient?.state === "gone") {
      throw new ConflictError("The identity is no longer available. Request the restore again.");
    }
    made = await buildJob(services, sql, run, transient?.secret ?? null);
  } catch (error) {
    // Fail a run for which no job can be built, so that it does not block other runs of its server. Do not
    // fail the run for a database error. Throw that error again: the transaction cannot continue after it.
    if (isDatabaseError(error)) throw error;
    await failUnsent(services, sql, run, describeError(error));
    return null;
  }
  const job = { ...made.job, watch: await watchOf(services, sql, run) };
  const attempt = run.attempt + 1;
  const move = await applyToRun(services, sql, run, { type: "offered" }, {
    attempt,
    // Each attempt numbers its events from 1.
    last_sequence: 0,
    timeout_at: timeoutAt(services, made.job.timeout_ms, made.change.script_seconds ?? 0),
    ...made.change,
  });
  if (!move.moved) return null;
  await insertAttempt(sql, run, attempt, services.clock.now());
  return { remoteServerId: run.remote_server_id!, runId: run.id, attempt, job };
}

function needsIdentity({ options }: RunRow): boolean {
  return (options as Partial<StoredRestore> | null)?.with_identity === true;
}

/** Builds a run's job, and the columns of the run that record how the job was built. */
async function buildJob(
  services: ServiceContext,
  sql: Sql,
  run: RunRow,
  identity: string | null,
): Promise<{ job: Job; change: RunChange }> {
  if (run.kind === "backup") return await buildBackupJob(services, sql, run);
  await refuseOldAgent(sql, run.remote_server_id!);
  if (run.kind === "verify") return { job: await verifyJob(sql, run, services.keyring), change: {} };
  await refuseIgnorantAgent(sql, run);
  if (run.kind === "drill") return { job: await drillJob(sql, run, services.keyring), change: {} };
  await refuseOlderLoader(sql, run);
  return { job: await restoreJob(sql, run, services.keyring, identity), change: {} };
}

/**
 * Throws a `ConflictError` if the agent's protocol is older than 3. Such an agent would ignore options that
 * decide how the backup is restored.
 */
async function refuseOlderLoader(sql: Sql, run: RunRow): Promise<void> {
  const options = run.options as StoredRestore;
  const decisive = restoreOfOptions(options).decisive?.(options) ?? [];
  if (decisive.length === 0) return;
  const server = await findRemoteServer(sql, run.remote_server_id!);
  if ((server?.agent_protocol ?? PROTOCOL_VERSION) >= 3) return;
  throw new ConflictError(
    `The agent of ${server!.label} is too old for ${
      decisive.join(", ")
    }. Install its current version, and restore again.`,
  );
}

/** Throws an error if the agent does not support the backup's source type. */
async function refuseIgnorantAgent(sql: Sql, run: RunRow): Promise<void> {
  const server = await findRemoteServer(sql, run.remote_server_id!);
  const backup = await findBackupDetail(sql, run.workspace_id, run.backup_id ?? 0);
  if (server === undefined || backup === undefined) return;
  const type = typeOfEngine(backup.engine);
  if (knowsType(server, type)) return;
  throw new ConflictError(
    `The agent of ${server.label} is too old to restore ${DEFINITIONS.get(type)!.label}. ` +
      "Install its current version, and try again.",
  );
}

/** Throws a `ConflictError` if the agent has protocol 1, because protocol 1 supports only backup jobs. */
async function refuseOldAgent(sql: Sql, serverId: number): Promise<void> {
  const server = await findRemoteServer(sql, serverId);
  if ((server?.agent_protocol ?? PROTOCOL_VERSION) >= 2) return;
  throw new ConflictError("The server's agent is too old to read backups. Update it, and try again.");
}

async function buildBackupJob(services: ServiceContext, sql: Sql, run: RunRow) {
  const taskId = run.backup_task_id ?? 0;
  // Query in parallel, because a thousand runs might be due at once.
  const [task, server, destination, stamp, last, history, scripts] = await Promise.all([
    findBackupTask(sql, taskId),
    findRemoteServer(sql, run.remote_server_id!),
    findBackupDestination(sql, run.backup_destination_id ?? 0),
    newestObjectStamp(sql, taskId),
    lastBackupStats(sql, taskId),
    guardHistory(sql, taskId),
    scriptsOfTask(sql, taskId),
  ]);
  if (task === undefined || server === undefined || destination === undefined) {
    throw new InvalidError({ backup_task_id: ["The backup task is deleted."] });
  }
  const object = {
    prefix: objectPrefix(task.id, task.appended_file_name),
    stamp: objectStamp(services.clock.now(), stamp),
  };
  refuseWithoutScripts(server, scripts);
  const made = backupJob({ task, server, destination, last, history, scripts }, services.keyring, object);
  const { directory } = made;
  const lockWait = task.lock_wait_timeout === null
    ? services.runTimes.lockWait
    : task.lock_wait_timeout * 1000;
  const job: Job = { ...made.job, lock_wait_ms: lockWait };
  const change = {
    object_directory: directory,
    object_prefix: object.prefix,
    object_stamp: object.stamp,
    script_seconds: secondsAfterBackup(scripts),
    encryption_password_encrypted: task.encryption_password_encrypted,
    encryption_recipients: task.encryption_recipients,
  };
  return { job, change };
}

/**
 * Throws a `ConflictError` if the agent is too old to run scripts, or if the scripts are too large for a
 * message.
 */
function refuseWithoutScripts(server: RemoteServerRow, scripts: readonly ScriptRow[]): void {
  if (scripts.length === 0) return;
  if ((server.agent_protocol ?? PROTOCOL_VERSION) < PROTOCOL_SCRIPTS) {
    throw new ConflictError(
      `The agent of ${server.label} is too old to run scripts. Install its current version, or take the ` +
        "scripts out of the task.",
    );
  }
  const texts = JSON.stringify(scripts.map(({ script }) => script));
  if (new TextEncoder().encode(texts).length <= MAX_SCRIPTS_BYTES) return;
  throw new ConflictError(
    `The scripts of the task are too large together: at most ${
      MAX_SCRIPTS_BYTES / 1024
    } KiB are sent to an ` +
      "agent. Shorten them, or have them call programs on the server.",
  );
}

/** Returns the sum of the time limits of the scripts that run after the backup, in seconds. */
function secondsAfterBackup(scripts: readonly ScriptRow[]): number {
  return scripts.filter(({ type }) => type !== "prescript")
    .reduce((sum, { timeout_seconds }) => sum + timeout_seconds, 0);
}

/**
 * Returns whether the error comes from PostgreSQL or the connection to it. After such an error, the
 * transaction can't continue.
 */
function isDatabaseError(error: unknown): boolean {
  const isOwn = error instanceof SecretError || error instanceof DomainError;
  return !isOwn && error instanceof Error && "code" in error && typeof error.code === "string";
}

function describeError(error: unknown): string {
  if (error instanceof InvalidError) return Object.values(error.errors).flat().join(" ");
  if (error instanceof SecretError || error instanceof DomainError) return error.message;
  logger("dispatcher").error("Cannot build the job of a run: {error}", { error });
  return `Cannot build the job of the run: ${
    (error as Error).message
  }. Check its task, and its server and destination.`;
}

/** Fails a run that can't be dispatched, and records the reason. */
async function failUnsent(services: ServiceContext, sql: Sql, run: RunRow, reason: string): Promise<void> {
  await applyToRun(services, sql, run, { type: "deadline_passed" }, { reason });
}

/**
 * Returns the time at which a run exceeds its run timeout. Returns null if the run has no timeout. Each
 * script after the backup has its own timeout, so the run gets additional time for these scripts.
 */
function timeoutAt(services: ServiceContext, timeoutMs: number | null, scriptSeconds: number): Date | null {
  if (timeoutMs === null) return null;
  return new Date(services.clock.now().getTime() + timeoutMs + scriptSeconds * 1000);
}
