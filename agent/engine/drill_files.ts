/** A drill of files: unpacked into the run's own directory, held against the index, and removed again. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { DrillJob, StoredObject } from "../../src/protocol/job.ts";
import { Children } from "./children.ts";
import { compareTree } from "./compare_tree.ts";
import type { DrillContext, Drilled } from "./drill.ts";
import { BackupDamagedError, RunFailedError, type RunPorts } from "./ports.ts";
import { formatBytes, formatSeconds } from "./progress.ts";
import type { StoredObjects } from "./stored_objects.ts";
import { unpackWhole } from "./targets/unpack.ts";

/** What else is on that file system must go on: of its room, a drill leaves a twentieth of what it takes. */
const ROOM = 1.05;

export async function drillFiles(
  { job, ports, children, objects, progress }: DrillContext,
): Promise<Drilled> {
  const scratch = join(ports.workDirectory, "drill");
  try {
    const { archive, index } = filesOf(objects);
    await Deno.mkdir(scratch, { mode: 0o700 });
    await checkRoom(scratch, job, ports);
    const restoring = ports.clock.monotonic();
    await unpackWhole(archive, scratch, { children, objects, ports, progress });
    const restore_ms = Math.round(ports.clock.monotonic() - restoring);
    ports.output.line(
      `Restored in ${formatSeconds(Math.ceil(restore_ms / 1000))}. Comparing it with the index`,
    );
    const files_count = await compareTree(scratch, (take) => objects.lines(index, take), ports, children);
    if (job.backup.files_count !== null && files_count !== job.backup.files_count) {
      const told = `its index tells of ${files_count} files, ${job.backup.files_count} were stored`;
      throw new BackupDamagedError(told, told);
    }
    ports.output.line(
      `All of its ${files_count} files and directories came back, with their types and sizes`,
    );
    return { files_count, restore_ms };
  } finally {
    await drop(scratch, ports);
  }
}

function filesOf(objects: StoredObjects): { archive: StoredObject; index: StoredObject } {
  const [archive] = objects.archives();
  if (archive === undefined || archive.database !== null) {
    throw new RunFailedError(
      "it holds a database, and the control plane did not say where to restore it. Update it",
    );
  }
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index to compare what comes back with");
  return { archive, index };
}

async function checkRoom(directory: string, job: DrillJob, ports: RunPorts): Promise<void> {
  const { bavail, bsize, ffree, files } = await statfs(directory);
  const needed = Math.ceil(job.bytes_read * ROOM);
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
  // Some file systems have no such limit, and tell 0.
  if (files > 0 && job.backup.files_count !== null && ffree < job.backup.files_count) {
    throw new RunFailedError(
      `there is no room for its ${job.backup.files_count} files in ${directory}: ${ffree} more can be made. ${advice}`,
    );
  }
}

/** Also where directories came back that their owner may not write to. Not by the run's signal, which may be what ended it. */
async function drop(scratch: string, ports: RunPorts): Promise<void> {
  const ignoreMissing = (error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  };
  try {
    await Deno.remove(scratch, { recursive: true }).catch(ignoreMissing);
  } catch {
    await using children = new Children(ports.clock, new AbortController().signal);
    const chmod = children.spawn({ program: "chmod", args: ["-R", "u+rwx", "--", scratch] }, {
      stdout: "null",
      onMessage: () => {},
    });
    await chmod.exited;
    await Deno.remove(scratch, { recursive: true });
  }
}
