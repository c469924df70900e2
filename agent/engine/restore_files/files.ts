/**
 * Restores files of a tar archive into a directory: unpacks them in a staging directory, verifies them, and
 * publishes them.
 */
import { basename, join } from "node:path";
import type { FilesTarget } from "../../../src/definitions/sources/files.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Amounts } from "../../../src/protocol/restore_report.ts";
import { refusing } from "../obstacles.ts";
import { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext, RestoreResult } from "../restore_context.ts";
import { type Conflicts, noConflicts, refuseConflicts } from "./conflicts.ts";
import { countWritten } from "./count_written.ts";
import { refuseDevices } from "./devices.ts";
import type { NameLists } from "./name_lists.ts";
import { isOriginal, listedConflicts, planRestore, requestedAmounts, sourceOf } from "./plan.ts";
import { publish } from "./publish.ts";
import { type RestoreDirectory, Staging } from "./restore_directory.ts";
import type { RestoreScope } from "./selection.ts";
import { setTimes } from "./times.ts";
import { unpackScope } from "./unpack_scope.ts";

export async function restoreFiles(target: FilesTarget, context: RestoreContext): Promise<RestoreResult> {
  const { job, ports } = context;
  const { archive, contents, directory, lists, scope, conflicts: expected } = await planRestore(
    target,
    context,
    refusing,
  );
  const suffix = `${job.backup.id}-${crypto.randomUUID().slice(0, 8)}`;
  const staging = await Staging.make(directory, `.rearguard-restore-${suffix}`, context);
  let isPublished = false;
  const requested = requestedAmounts(contents);
  let written: Amounts;
  let skipped = 0;
  try {
    const isRooted = sourceOf(context)?.kind !== "file";
    const unpacked = await unpackScope(archive, { scope, isRooted, staging, lists }, context);
    skipped = unpacked.skipped;
    written = await countWritten(staging.path, scope, lists, context.children);
    refuseEmptyRestore(requested, written, skipped);
    if (!isOriginal(target, context)) await refuseDevices(staging.path, context.children);
    const conflicts = scope.kind === "whole" || skipped > 0 || directory.state === "empty"
      ? await unpackedConflicts(staging, directory, lists, scope, context)
      : expected;
    refuseConflicts(conflicts, directory, target.overwrite);
    ports.signal.throwIfAborted();
    ports.output.line(`Everything is unpacked and verified. Moving it into ${directory.path}`);
    // From here on, cancelling does not stop the run: a complete restore is better than a half-published one.
    await using publishing = new Children(ports.clock, new AbortController().signal);
    await publish(
      unpacked,
      directory,
      conflicts,
      { ...portsOf(context), warnings: unpacked.warnings },
      publishing,
    );
    isPublished = true;
    unpacked.warnings.end();
    if (unpacked.mustSetTimes) await keepTimes(directory.path, scope, archive, context);
  } finally {
    await staging.remove(!isPublished);
  }
  const count = scope.kind === "whole" ? job.backup.files_count : scope.others.length;
  if (skipped > 0) {
    ports.output.line(
      `${skipped} of its files and directories could not be restored; the rest is restored`,
    );
  }
  return {
    filesCount: count === null ? null : Math.max(count - skipped, 0),
    requested,
    written,
    skippedCount: skipped,
    targets: restoredPaths(target, directory.path, context),
  };
}

/** Rejects if nothing of the requested paths was unpacked: a restore of nothing at all is a failure. */
function refuseEmptyRestore(requested: Amounts, written: Amounts, skipped: number): void {
  const sum = ({ files_count, directories_count }: Amounts) => (files_count ?? 0) + (directories_count ?? 0);
  if (sum(written) > 0 || (sum(requested) === 0 && skipped === 0)) return;
  throw new RunFailedError("nothing of it can be restored here: the run's output names each file's reason");
}

/** Returns the paths that were restored: the restore directory, or the chosen paths in it. */
function restoredPaths({ paths }: FilesTarget, directory: string, context: RestoreContext): string[] {
  if (paths.length > 0) return paths.map((path) => join(directory, path));
  const source = sourceOf(context);
  return [source?.kind === "file" ? join(directory, basename(source.path)) : directory];
}

/**
 * Sets the times of restored files. Never rejects: the files are restored, so problems with times are only
 * warnings.
 */
async function keepTimes(
  directory: string,
  scope: RestoreScope,
  archive: StoredObject,
  { objects, ports }: RestoreContext,
): Promise<void> {
  try {
    const index = objects.index(archive.database);
    const chosen = scope.kind === "whole" ? null : new Set([...scope.directories, ...scope.others]);
    const isWanted = (name: string) => chosen?.has(name) ?? true;
    const failed = index === null
      ? null
      : await setTimes(directory, (take) => objects.lines(index, take), isWanted);
    if (failed === 0) return;
    ports.output.warning(`${failed ?? "All"} files have the time of the restore, not their own`);
  } catch (error) {
    ports.output.warning(`Times of files could not be checked: ${(error as Error).message}`);
  }
}

function portsOf({ ports }: RestoreContext) {
  const { clock, output, workDirectory } = ports;
  return { clock, output, workDirectory, scratch: (path: string) => ports.scratch(path) };
}

/** Returns the conflicts of the files that were actually unpacked. */
async function unpackedConflicts(
  staging: Staging,
  directory: RestoreDirectory,
  lists: NameLists,
  scope: RestoreScope,
  context: RestoreContext,
): Promise<Conflicts> {
  if (
    directory.state === "missing" || (directory.state === "empty" && await isStillEmpty(directory, staging))
  ) {
    return noConflicts();
  }
  if (scope.kind === "whole") await lists.find(staging.path, context.children);
  return await listedConflicts(directory, lists, context);
}

/** Returns whether the restore directory contains nothing but the staging directory. */
async function isStillEmpty(directory: RestoreDirectory, staging: Staging): Promise<boolean> {
  for await (const { name } of Deno.readDir(directory.path)) {
    if (join(directory.path, name) !== staging.path) return false;
  }
  return true;
}
