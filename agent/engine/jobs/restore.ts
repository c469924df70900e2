import type { Restored, RestoreJob } from "../../../src/protocol/job.ts";
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
 * Rejects with a `BackupDamagedError` if the stored backup was altered. Rejects with the signal's reason if
 * the signal aborts. For any other failure, rejects with another `RunFailedError` that names the backup.
 * Before it rejects, every program that it started has ended. If the target was changed, the error says so.
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
    const { filesCount } = await type.restore(job.target, { job, ports, children, objects, progress });
    return {
      files_count: filesCount,
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
