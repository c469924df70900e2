/**
 * Runs a drill of files: unpacks them into the run's work directory, compares them with the index, and
 * removes them.
 */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { DrillJob, StoredObject } from "../../../../src/protocol/job.ts";
import { compareTree } from "../../jobs/compare_tree.ts";
import type { DrillContext, Drilled } from "../../drill_context.ts";
import { LONGEST_NAME } from "../../longest_name.ts";
import { BackupDamagedError, RunFailedError, type RunPorts } from "../../ports.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import { formatSeconds } from "../../jobs/progress.ts";
import { removeTree } from "../../remove_tree.ts";
import type { StoredObjects } from "../../jobs/stored_objects.ts";
import { type Skipped, unpackWhole } from "../../restore_files/unpack.ts";

/**
 * Required free space as a multiple of the data's size. A drill leaves some space for the server's other
 * programs.
 */
const SPACE_FACTOR = 1.05;

export async function drillFiles(
  { job, ports, children, objects, progress }: DrillContext,
): Promise<Drilled> {
  const scratch = join(ports.workDirectory, "drill");
  try {
    const { archive, index } = filesOf(objects);
    await Deno.mkdir(scratch, { mode: 0o700 });
    await checkFreeSpace(scratch, job, ports);
    const restoring = ports.clock.monotonic();
    const skipped = await unpackWhole(archive, scratch, { children, objects, ports, progress });
    const restore_ms = Math.round(ports.clock.monotonic() - restoring);
    ports.output.line(
      `Restored in ${formatSeconds(Math.ceil(restore_ms / 1000))}. Comparing it with the index`,
    );
    const lines = (take: (line: string) => void) => objects.lines(index, take);
    const files_count = await compareTree(scratch, lines, ports, children, isLeftOut(skipped));
    if (job.backup.files_count !== null && files_count !== job.backup.files_count) {
      const damage = `its index lists ${files_count} files, ${job.backup.files_count} were stored`;
      throw new BackupDamagedError(damage, damage);
    }
    ports.output.line(
      skipped.count === 0
        ? `All of its ${files_count} files and directories were restored, with their types and sizes`
        : `Of its ${files_count} files and directories ${skipped.count} can't be restored here; the others were restored, with their types and sizes`,
    );
    return { files_count, restore_ms };
  } finally {
    await removeTree(scratch, ports.clock);
  }
}

/**
 * Returns a function that says whether a member is missing because the file system of the temporary location
 * can't store it. Such a missing member does not mean that the backup is damaged.
 */
function isLeftOut({ names, count }: Skipped): (name: string) => boolean {
  return (name) => count > 0 && (names.has(name) || name.length > LONGEST_NAME);
}

function filesOf(objects: StoredObjects): { archive: StoredObject; index: StoredObject } {
  const [archive] = objects.archives();
  if (archive === undefined || archive.database !== null) {
    throw new RunFailedError(
      "it holds a database, and the control plane did not send where to restore it. Update it",
    );
  }
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index to compare the restored files with");
  return { archive, index };
}

async function checkFreeSpace(directory: string, job: DrillJob, ports: RunPorts): Promise<void> {
  const { bavail, bsize, ffree, files } = await statfs(directory);
  const needed = Math.ceil(job.bytes_read * SPACE_FACTOR);
  const free = bavail * bsize;
  ports.output.line(`Restoring into ${directory}: ${formatBytes(needed)} needed, ${formatBytes(free)} free`);
  const advice = "Free some, or set the task's drill_every to 0";
  if (free < needed) {
    throw new RunFailedError(
      `there is no room for it in ${directory}: it needs ${formatBytes(needed)}, ${
        formatBytes(free)
      } are free. ${advice}`,
    );
  }
  // `files` is 0 on file systems without a limit on the number of files.
  if (files > 0 && job.backup.files_count !== null && ffree < job.backup.files_count) {
    throw new RunFailedError(
      `there is no room for its ${job.backup.files_count} files in ${directory}: ${ffree} more can be made. ${advice}`,
    );
  }
}
