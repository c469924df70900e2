/** Runs a verification job: checks whether the objects of a backup are undamaged. */
import type { StoredObject, Verified, VerifyJob } from "../../../src/protocol/job.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import {
  BackupDamagedError,
  type Destination,
  RunAbortedError,
  RunFailedError,
  type RunPorts,
} from "../ports.ts";
import { formatBytes } from "../../../src/domain/byte_size.ts";
import { UnsteadyReadError } from "./read_again.ts";
import { type Inspector, MISSING, readBack } from "./read_back.ts";
import { ReadProgress } from "./read_progress.ts";
import { BackupContents } from "../manifest/contents.ts";

/**
 * The order in which objects are checked. Indexes come before archives, because archives are compared with
 * their indexes.
 */
const ORDER = { index: 0, archive: 1, manifest: 2 };
/** Maximum number of faults that the verdict lists. The run's output lists all faults. */
const MAX_LISTED = 3;

/**
 * Reads back every object of a backup. Resolves if all of them are undamaged.
 *
 * Rejects with a `BackupDamagedError` after all objects are checked, if some object is damaged. Rejects with
 * another `RunFailedError` if the check is impossible. Rejects with the signal's reason if the signal aborts.
 */
export async function runVerify(
  job: VerifyJob,
  destination: Destination,
  ports: RunPorts,
): Promise<Verified> {
  const started = ports.clock.monotonic();
  const read = { bytesRead: 0 };
  const progress = new ReadProgress(ports, read);
  const reporting = new AbortController();
  const contents = new BackupContents(job.backup, ports.workDirectory);
  const faults: string[] = [];
  let unsteady: UnsteadyReadError | null = null;
  try {
    ports.output.line(`Verifying backup ${job.backup.id} of ${job.backup.created_at}`);
    ports.output.line(`Reading from ${destination.description}`);
    if (contents.isSealed) {
      ports.output.line(
        "It is encrypted to recipients: its sizes and SHA-256 are checked, its contents can't be",
      );
    }
    progress.total = job.backup.objects.reduce((sum, { size }) => sum + size, 0);
    progress.report(reporting.signal).catch((error) => ports.output.line(`Progress stopped: ${error}`));
    const objects = [...job.backup.objects].sort((a, b) => ORDER[a.role] - ORDER[b.role]);
    for (const object of objects) {
      const count = (bytes: number) => void (read.bytesRead += bytes);
      const found = await verifyObject(object, destination, contents, ports, count).catch((error) => {
        if (!(error instanceof UnsteadyReadError)) throw error;
        ports.output.line(error.message);
        unsteady ??= error;
        return [];
      });
      for (const fault of found) ports.output.line(`Damaged: ${object.name}: ${fault}`);
      faults.push(...found.map((fault) => `${object.name}: ${fault}`));
    }
  } catch (error) {
    throw failure(error, job, ports.signal);
  } finally {
    reporting.abort();
  }
  if (faults.length > 0) throw damaged(job, faults);
  if (unsteady !== null) throw failure(unsteady, job, ports.signal);
  return {
    files_count: contents.filesCount,
    is_opened: !contents.isSealed,
    objects_count: job.backup.objects.length,
    bytes_read: read.bytesRead,
    duration_ms: Math.round(ports.clock.monotonic() - started),
  };
}

async function verifyObject(
  object: StoredObject,
  destination: Destination,
  contents: BackupContents,
  ports: RunPorts,
  count: (bytes: number) => void,
): Promise<string[]> {
  // Start the programs of each object in a group of its own: ending this group must not affect the next
  // object.
  await using children = new Children(ports.clock, ports.signal);
  const look: Inspector | null = contents.inspectorFor(object, children);
  const spool = `${ports.workDirectory}/proven`;
  const found = await readBack(object, destination, { inspect: look, count, spool });
  for (const note of contents.notes.splice(0)) ports.output.warning(note);
  if (found.length === 0) {
    ports.output.line(`Whole: ${object.name}, ${formatBytes(object.size)}${contents.describe(object)}`);
  }
  return found;
}

function damaged({ backup }: VerifyJob, faults: readonly string[]): BackupDamagedError {
  const more = faults.length - MAX_LISTED;
  const damage = faults.slice(0, MAX_LISTED).join("; ") + (more > 0 ? `; and ${more} more` : "");
  // If every fault is a missing object, nothing is damaged: the bucket might be empty or replaced.
  const state = faults.every((fault) => fault.endsWith(MISSING)) ? "missing" : "damaged";
  return new BackupDamagedError(`Backup ${backup.id} is ${state}: ${damage}`, damage);
}

function failure(error: unknown, { backup }: VerifyJob, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof RunAbortedError) return error;
  const reason = oneLine(error instanceof Error ? error.message : String(error));
  return new RunFailedError(`Cannot verify backup ${backup.id}: ${reason}`, { cause: error });
}
