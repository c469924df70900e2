import { formatBytes } from "../../../src/domain/byte_size.ts";
import type { Restored, RestoreJob } from "../../../src/protocol/job.ts";
import { type Amounts, MAX_REPORTED, type RestoreReport } from "../../../src/protocol/restore_report.ts";
import type { RestoreResult } from "../restore_context.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import {
  BackupDamagedError,
  type Destination,
  RunAbortedError,
  RunFailedError,
  type RunPorts,
} from "../ports.ts";
import { ReadProgress } from "./read_progress.ts";
import { StoredObjects } from "./stored_objects.ts";
import { sourceTypeOf } from "../sources/registry.ts";

/**
 * Runs a restore job. Resolves once everything is restored.
 *
 * If the signal aborts, rejects with the signal's reason. If the stored backup was altered, rejects with a
 * `BackupDamagedError`. For any other failure, rejects with a plain `RunFailedError`. The last two errors
 * name the backup. If the target was changed, the error says so. Before the function rejects, every program
 * that it started has ended.
 */
export async function runRestore(
  job: RestoreJob,
  destination: Destination,
  ports: RunPorts,
): Promise<Restored> {
  const started = ports.clock.monotonic();
  await using children = new Children(ports.clock, ports.signal);
  const objects = new StoredObjects(job.backup, destination, children);
  const progress = new ReadProgress(ports, objects);
  const reporting = new AbortController();
  try {
    ports.output.line(`Restoring backup ${job.backup.id} of ${job.backup.created_at}`);
    ports.output.line(`Reading from ${destination.description}`);
    progress.report(reporting.signal).catch((error) => ports.output.line(`Progress stopped: ${error}`));
    const type = sourceTypeOf(job.target);
    if (type?.restore === undefined) {
      throw new RunFailedError("this agent can't restore such a backup. Update it");
    }
    const restored = await type.restore(job.target, { job, ports, children, objects, progress });
    const report = reportOf(restored);
    ports.output.line(
      `Asked for: ${inWords(report.requested)}. Written: ${inWords(report.written)}` +
        (report.skipped_count === 0 ? "" : `. Not written: ${report.skipped_count}`),
    );
    return {
      files_count: restored.filesCount,
      report,
      bytes_read: objects.bytesRead,
      duration_ms: Math.round(ports.clock.monotonic() - started),
    };
  } catch (error) {
    await children.terminate();
    throw failure(error, job, ports);
  } finally {
    reporting.abort();
  }
}

function reportOf({ requested, written, skippedCount, targets }: RestoreResult): RestoreReport {
  return {
    requested,
    written,
    skipped_count: skippedCount,
    targets: targets.slice(0, MAX_REPORTED).map((target) => target.slice(0, 8192)),
    targets_count: targets.length,
  };
}

/** Returns amounts for the run's output, such as `12 files, 3 directories, 1.5 MB`. */
function inWords({ files_count, directories_count, bytes, databases_count, rows_count }: Amounts): string {
  const counted = (count: number | null, one: string, many = `${one}s`) =>
    count === null ? [] : [`${count} ${count === 1 ? one : many}`];
  const words = [
    ...counted(files_count, "file"),
    ...counted(directories_count, "directory", "directories"),
    ...bytes === null ? [] : [formatBytes(bytes)],
    ...counted(databases_count, "database"),
    ...counted(rows_count, "row"),
  ];
  return words.join(", ") || "an amount that is not recorded";
}

function failure(error: unknown, { backup }: RestoreJob, { signal, workDirectory }: RunPorts): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof RunAbortedError) return error;
  const message = oneLine(error instanceof Error ? error.message : String(error));
  const isFull = (error as { code?: string }).code === "ENOSPC" && message.includes(workDirectory);
  const reason = isFull
    ? `the agent's state directory has no room for its lists of names (${workDirectory}). Free some.`
    : message;
  const text = `Cannot restore backup ${backup.id}: ${reason}`;
  if (error instanceof BackupDamagedError) return new BackupDamagedError(text, error.damage);
  return new RunFailedError(text, { cause: error });
}
