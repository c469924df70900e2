/**
 * Restores files of a tar archive into a directory: unpacks them in a staging directory, verifies them, and
 * publishes them.
 */
import { dirname, join, normalize } from "node:path";
import * as z from "zod";
import type { FilesTarget } from "../../../src/definitions/sources/files.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { bytesOf } from "../archive/bytes.ts";
import { Children } from "../programs/children.ts";
import { oneLine, printable } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore_context.ts";
import { NameLists } from "./name_lists.ts";
import { type Conflicts, findConflicts, noConflicts, refuseConflicts } from "./conflicts.ts";
import { inspectRestoreDirectory, type RestoreDirectory, Staging } from "./restore_directory.ts";
import { joinNames, statNames, unwritableDirectories } from "./names.ts";
import { publish } from "./publish.ts";
import { entriesOf } from "./stages.ts";
import { refuseDevices } from "./devices.ts";
import type { RestoreResult } from "../restore_context.ts";
import {
  directoriesAbove,
  listMembers,
  parentOf,
  type RestoreScope,
  select,
  type Selection,
} from "./selection.ts";
import { setTimes } from "./times.ts";
import { unpackScope } from "./unpack_scope.ts";

const FilesDescription = z.object({
  type: z.literal("files"),
  path: z.string(),
  kind: z.enum(["directory", "file"]),
});

export async function restoreFiles(target: FilesTarget, context: RestoreContext): Promise<RestoreResult> {
  const { job, objects, ports } = context;
  const [archive] = objects.archives();
  if (archive === undefined || archive.database !== null) {
    throw new RunFailedError("it holds a database, not files");
  }
  const directory = await inspectRestoreDirectory(target.path ?? originalDirectory(context));
  ports.output.line(`Restoring into ${directory.path}, ${STATES[directory.state]}`);
  const lists = new NameLists(ports.workDirectory);
  const scope = await selectScope(target, archive, directory, lists, context);
  if (scope.kind === "selection") await refuseLinksAbove(scope, directory, context);
  const expected = await listedConflicts(directory, lists, context);
  refuseConflicts(expected, directory, target.overwrite);
  await refuseUnwritable(directory, lists, expected, scope, context);
  await warnOfOwnership(archive, context);
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

const STATES = {
  missing: "which does not exist yet",
  empty: "which is empty",
  occupied: "which is not empty",
};

function originalDirectory(context: RestoreContext): string {
  const source = sourceOf(context);
  if (source === null) {
    throw new RunFailedError("its original path is not known. Set target_path.");
  }
  return source.kind === "file" ? dirname(source.path) : source.path;
}

/** Returns whether the target is the path that was backed up. */
function isOriginal({ path }: FilesTarget, context: RestoreContext): boolean {
  return path === null ||
    (sourceOf(context) !== null && normalize(`${path}/`) === normalize(`${originalDirectory(context)}/`));
}

function sourceOf({ job }: RestoreContext): z.infer<typeof FilesDescription> | null {
  return FilesDescription.safeParse(job.backup.source).data ?? null;
}

/**
 * Returns the part of the backup that the target selects. If the backup has an index, also writes lists of
 * names. With these lists, conflicts are found before anything is unpacked.
 */
async function selectScope(
  target: FilesTarget,
  archive: StoredObject,
  directory: RestoreDirectory,
  lists: NameLists,
  { objects, ports }: RestoreContext,
): Promise<RestoreScope> {
  const index = objects.index(archive.database);
  if (target.paths.length > 0) {
    if (index === null) {
      throw new RunFailedError("it has no index, so single paths can't be found in it. Restore all of it.");
    }
    const selection = await select(target.paths, (take) => objects.lines(index, take));
    const { directories, others } = selection;
    ports.output.line(`Restoring ${others.length} files and ${directories.length} directories of it`);
    await lists.write(directories, others);
    return selection;
  }
  if (index !== null && directory.state === "occupied") {
    await lists.collect((take) => listMembers((line) => objects.lines(index, line), take));
  }
  return { kind: "whole" };
}

/**
 * Checks each directory of the backup that contains a chosen member. Rejects if the restore directory has a
 * symbolic link, or another file, at the path of such a directory. Otherwise the member would be restored
 * through the link, into another directory.
 */
async function refuseLinksAbove(
  { roots }: Selection,
  directory: RestoreDirectory,
  { ports, children }: RestoreContext,
): Promise<void> {
  const list = join(ports.workDirectory, "above");
  await Deno.writeFile(list, joinNames([...new Set(roots.flatMap(directoriesAbove))]));
  for (const [type, name] of await statNames(directory.path, list, "%F", children)) {
    if (type === "directory") continue;
    throw new RunFailedError(
      `${join(directory.path, printable(bytesOf(name)))} is a ${type}, where the backup has a directory. ` +
        "Move it away, or restore elsewhere.",
    );
  }
}

async function listedConflicts(
  directory: RestoreDirectory,
  lists: NameLists,
  { children }: RestoreContext,
): Promise<Conflicts> {
  if (!lists.areWritten) return noConflicts();
  return await findConflicts(directory, lists.directories, lists.others, children);
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

/**
 * Rejects if the agent has no right to write to a directory in which the restore creates files. Called
 * before the archive is read.
 */
async function refuseUnwritable(
  directory: RestoreDirectory,
  lists: NameLists,
  { standing }: Conflicts,
  scope: RestoreScope,
  { ports, children }: RestoreContext,
): Promise<void> {
  if (directory.state !== "occupied" || !lists.areWritten) return;
  const list = join(ports.workDirectory, "above");
  const roots = scope.kind === "whole" ? [] : scope.roots;
  await Deno.writeFile(list, joinNames([...new Set(roots.flatMap(directoriesAbove))]));
  const above = (await statNames(directory.path, list, "%F", children)).map(([, name]) => name);
  const known = new Set([...standing, ...above]);
  const entries = await entriesOf(lists, (name) => known.has(name));
  const parents = new Set([...entries.files, ...entries.directories].map(parentOf));
  const [closed] = await unwritableDirectories(directory.path, [...parents], children);
  if (closed === undefined) return;
  throw new RunFailedError(
    `the agent can't write in ${join(directory.path, oneLine(closed))}. ` +
      "Give it the right to, or restore elsewhere.",
  );
}

/**
 * Warns if files belong to other users and the agent is not root. Only root can give files to other users, so
 * all restored files then belong to the agent's user.
 */
async function warnOfOwnership(archive: StoredObject, { objects, ports }: RestoreContext): Promise<void> {
  const own = Deno.uid();
  const index = objects.index(archive.database);
  if (own === 0 || index === null) return;
  const parser = new IndexParser();
  let others = 0;
  await objects.lines(index, (line) => {
    const member = parser.line(line);
    if (member !== null && member.type !== "unknown" && member.uid !== own) others++;
  });
  if (others === 0) return;
  ports.output.warning(
    `The agent is not root: ${others} of the backup's files belonged to others, and become those of user id ${own}`,
  );
}
