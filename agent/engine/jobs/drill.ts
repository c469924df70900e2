/**
 * Runs a restore drill: restores a backup on its server, compares the restored data, and removes the restored
 * data.
 */
import type { DrillJob, Proven } from "../../../src/protocol/job.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import {
  BackupDamagedError,
  type Destination,
  RunAbortedError,
  RunFailedError,
  type RunPorts,
} from "../ports.ts";
import { drilledType } from "../sources/registry.ts";
import { ReadProgress } from "./read_progress.ts";
import { StoredObjects } from "./stored_objects.ts";

/**
 * Runs a drill job. Resolves once the restored data matches the backup's records and is removed again.
 *
 * Rejects with a `BackupDamagedError` if the data differs. Rejects with another `RunFailedError` if the drill
 * is impossible. Rejects with the signal's reason if the signal aborts. The restored data is removed in all
 * of these cases.
 */
export async function runDrill(job: DrillJob, destination: Destination, ports: RunPorts): Promise<Proven> {
  const started = ports.clock.monotonic();
  const reporting = new AbortController();
  try {
    await using children = new Children(ports.clock, ports.signal);
    const objects = new StoredObjects(job.backup, destination, children);
    const progress = new ReadProgress(ports, objects);
    ports.output.line(`Restoring backup ${job.backup.id} of ${job.backup.created_at} as a drill`);
    ports.output.line(`Reading from ${destination.description}`);
    if (job.backup.key === null && objects.archives().some(({ name }) => name.endsWith(".age"))) {
      throw new RunFailedError("it is encrypted to recipients, so it can't be decrypted here");
    }
    progress.report(reporting.signal).catch((error) => ports.output.line(`Progress stopped: ${error}`));
    const context = { job, ports, children, objects, progress };
    const type = drilledType(job.target);
    if (type?.drill === undefined) {
      throw new RunFailedError("this agent can't drill such a backup. Update it");
    }
    const drilled = await type.drill(job.target, context);
    return {
      ...drilled,
      bytes_read: objects.bytesRead,
      duration_ms: Math.round(ports.clock.monotonic() - started),
    };
  } catch (error) {
    throw failure(error, job, ports.signal);
  } finally {
    reporting.abort();
  }
}

function failure(error: unknown, { backup }: DrillJob, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof RunAbortedError) return error;
  if (error instanceof BackupDamagedError) {
    return new BackupDamagedError(`Backup ${backup.id} is damaged: ${error.damage}`, error.damage);
  }
  const reason = oneLine(error instanceof Error ? error.message : String(error));
  return new RunFailedError(`Cannot prove backup ${backup.id}: ${reason}`, { cause: error });
}
