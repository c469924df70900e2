/**
 * Restores files of a tar archive into a directory: unpacks them in a staging directory, verifies them, and
 * publishes them.
 */
import { join } from "node:path";
import type { FilesTarget } from "../../../src/definitions/sources/files.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { refusing } from "../obstacles.ts";
import { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext, RestoreResult } from "../restore_context.ts";
import { type Conflicts, noConflicts, refuseConflicts } from "./conflicts.ts";
import { refuseDevices } from "./devices.ts";
import type { NameLists } from "./name_lists.ts";
import { isOriginal, listedConflicts, planRestore, sourceOf } from "./plan.ts";
import { publish } from "./publish.ts";
import { type RestoreDirectory, Staging } from "./restore_directory.ts";
import type { RestoreScope } from "./selection.ts";
import { setTimes } from "./times.ts";
import { unpackScope } from "./unpack_scope.ts";

export async function restoreFiles(target: FilesTarget, context: RestoreContext): Promise<RestoreResult> {
  const { job, ports } = context;
  const { archive, directory, lists, scope, conflicts: expected } = await planRestore(
    target,
    context,
    refusing,
  );
  const suffix = `${job.backup.id}-${crypto.randomUUID().slice(0, 8)}`;
  const staging = await Staging.make(directory, `.rearguard-restore-${suffix}`, context);
  let isPublished = false;
  let skipped = 0;
  try {
    const isRooted = sourceOf(context)?.kind !== "file";
    const unpacked = await unpackScope(archive, { scope, isRooted, staging, lists }, context);
    skipped = unpacked.skipped;
    if (skipped > 0) await refuseEmptyRestore(staging.path);
    if (!isOriginal(target, context)) await refuseDevices(staging.path, context.children);
    const conflicts = scope.kind === "whole" || skipped > 0 || directory.state === "empty"
      ? await unpackedConflicts(staging, directory, lists, scope, context)
      : expected;
    refuseConflicts(conflicts, directory, target.overwrite);
    ports.signal.throwIfAborted();
    ports.output.line(`Everything is unpacked and verified. Moving it into ${directory.path}`);
    // From here on a cancelled run is not stopped: a complete restore is better than a half-published one.
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
  return { filesCount: count === null ? null : Math.max(count - skipped, 0) };
}

/** Rejects if the staging directory is empty: a restore of no files at all is a failure. */
async function refuseEmptyRestore(staging: string): Promise<void> {
  for await (const _ of Deno.readDir(staging)) return;
  throw new RunFailedError("nothing of it can be restored here: the run's output names each file's reason");
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
