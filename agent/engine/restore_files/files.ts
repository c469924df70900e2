/** Files of a tar archive into a directory: unpacked beside it, proven, then put into their place. */
import { dirname, join, normalize } from "node:path";
import * as z from "zod";
import type { FilesTarget, StoredObject } from "../../../src/protocol/job.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { bytesOf } from "../archive/bytes.ts";
import { Children } from "../programs/children.ts";
import { oneLine, printable } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore_context.ts";
import { NameLists } from "./name_lists.ts";
import { type Conflicts, findConflicts, none, refuseConflicts } from "./conflicts.ts";
import { inspectRestoreDirectory, type RestoreDirectory, Staging } from "./restore_directory.ts";
import { closedDirectories, joinNames, statNames } from "./names.ts";
import { publish } from "./publish.ts";
import { entriesOf } from "./stages.ts";
import { refuseDevices } from "./devices.ts";
import type { Put } from "../restore_context.ts";
import { directoriesAbove, listMembers, parentOf, select, type Selection } from "./selection.ts";
import { setTimes } from "./times.ts";
import { unpackChosen } from "./unpack_chosen.ts";

const FilesDescription = z.object({
  type: z.literal("files"),
  path: z.string(),
  kind: z.enum(["directory", "file"]),
});

export async function restoreFiles(target: FilesTarget, context: RestoreContext): Promise<Put> {
  const { job, objects, ports } = context;
  const [archive] = objects.archives();
  if (archive === undefined || archive.database !== null) {
    throw new RunFailedError("it holds a database, not files");
  }
  const place = await inspectRestoreDirectory(target.path ?? originalDirectory(context));
  ports.output.line(`Restoring into ${place.path}, ${STATES[place.state]}`);
  const lists = new NameLists(ports.workDirectory);
  const selection = await choose(target, archive, place, lists, context);
  if (selection !== null) await refuseLinksAbove(selection, place, context);
  const expected = await conflictsOf(place, lists, context);
  refuseConflicts(expected, place, target.overwrite);
  await refuseClosed(place, lists, expected, selection, context);
  await warnOfOwners(archive, context);
  const suffix = `${job.backup.id}-${crypto.randomUUID().slice(0, 8)}`;
  const staging = await Staging.make(place, `.rearguard-restore-${suffix}`, context);
  let isPublished = false;
  let skipped = 0;
  try {
    const isRooted = sourceOf(context)?.kind !== "file";
    const unpacked = await unpackChosen(archive, { selection, isRooted, staging, lists }, context);
    skipped = unpacked.skipped;
    if (skipped > 0) await refuseNothing(staging.path);
    if (!isOriginal(target, context)) await refuseDevices(staging.path, context.children);
    const conflicts = selection === null || skipped > 0 || place.state === "empty"
      ? await conflictsIn(staging, place, lists, selection, context)
      : expected;
    refuseConflicts(conflicts, place, target.overwrite);
    ports.signal.throwIfAborted();
    ports.output.line(`Everything is unpacked and proven. Putting it into ${place.path}`);
    // Half of it in its place is worse than all of it: a cancel comes too late from here.
    await using placing = new Children(ports.clock, new AbortController().signal);
    await publish(unpacked, place, conflicts, { ...portsOf(context), warnings: unpacked.warnings }, placing);
    isPublished = true;
    unpacked.warnings.end();
    if (unpacked.mustSetTimes) await keepTimes(place.path, selection, archive, context);
  } finally {
    await staging.remove(!isPublished);
  }
  const count = selection === null ? job.backup.files_count : countOf(selection);
  if (skipped > 0) {
    ports.output.line(
      `${skipped} of its files and directories could not be restored; the rest is in its place`,
    );
  }
  return { filesCount: count === null ? null : Math.max(count - skipped, 0) };
}

/** A restore that brings nothing back has not succeeded, whatever was to blame for each of its files. */
async function refuseNothing(staging: string): Promise<void> {
  for await (const _ of Deno.readDir(staging)) return;
  throw new RunFailedError("nothing of it can be restored here: the run's output names each file's reason");
}

/** A restore is done by now: what is wrong with times does not fail it. */
async function keepTimes(
  directory: string,
  selection: Selection | null,
  archive: StoredObject,
  { objects, ports }: RestoreContext,
): Promise<void> {
  try {
    const index = objects.index(archive.database);
    const chosen = selection === null ? null : new Set([...selection.directories, ...selection.others]);
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
  missing: "which is not there yet",
  empty: "which is empty",
  occupied: "which holds something already",
};

function originalDirectory(context: RestoreContext): string {
  const source = sourceOf(context);
  if (source === null) {
    throw new RunFailedError("where it came from is not known. Say where to restore it: target_path.");
  }
  return source.kind === "file" ? dirname(source.path) : source.path;
}

/** By the path that was given. */
function isOriginal({ path }: FilesTarget, context: RestoreContext): boolean {
  return path === null ||
    (sourceOf(context) !== null && normalize(`${path}/`) === normalize(`${originalDirectory(context)}/`));
}

function sourceOf({ job }: RestoreContext): z.infer<typeof FilesDescription> | null {
  return FilesDescription.safeParse(job.backup.source).data ?? null;
}

/**
 * Null where everything is restored. Where the index is there, names are listed for a first look at what is
 * in the way.
 */
async function choose(
  target: FilesTarget,
  archive: StoredObject,
  place: RestoreDirectory,
  lists: NameLists,
  { objects, ports }: RestoreContext,
): Promise<Selection | null> {
  const index = objects.index(archive.database);
  if (target.paths.length > 0) {
    if (index === null) {
      throw new RunFailedError("it has no index: single paths can't be found in it. Restore all of it.");
    }
    const selection = await select(target.paths, (take) => objects.lines(index, take));
    const { directories, others } = selection;
    ports.output.line(`Restoring ${others.length} files and ${directories.length} directories of it`);
    await lists.write(directories, others);
    return selection;
  }
  if (index === null || place.state !== "occupied") return null;
  await lists.collect((take) => listMembers((line) => objects.lines(index, line), take));
  return null;
}

/** Through a link above what was chosen, it would be put elsewhere. */
async function refuseLinksAbove(
  { roots }: Selection,
  place: RestoreDirectory,
  { ports, children }: RestoreContext,
): Promise<void> {
  const list = join(ports.workDirectory, "above");
  await Deno.writeFile(list, joinNames([...new Set(roots.flatMap(directoriesAbove))]));
  for (const [type, name] of await statNames(place.path, list, "%F", children)) {
    if (type === "directory") continue;
    throw new RunFailedError(
      `${join(place.path, printable(bytesOf(name)))} is a ${type}, where the backup has a directory. ` +
        "Move it away, or restore elsewhere.",
    );
  }
}

async function conflictsOf(
  place: RestoreDirectory,
  lists: NameLists,
  { children }: RestoreContext,
): Promise<Conflicts> {
  if (!lists.areThere) return none();
  return await findConflicts(place, lists.directories, lists.others, children);
}

/** Of what was really unpacked. */
async function conflictsIn(
  staging: Staging,
  place: RestoreDirectory,
  lists: NameLists,
  selection: Selection | null,
  context: RestoreContext,
): Promise<Conflicts> {
  if (place.state === "missing" || (place.state === "empty" && await isEmptyStill(place, staging))) {
    return none();
  }
  if (selection === null) await lists.find(staging.path, context.children);
  return await conflictsOf(place, lists, context);
}

/** But for the staging directory. */
async function isEmptyStill(place: RestoreDirectory, staging: Staging): Promise<boolean> {
  for await (const { name } of Deno.readDir(place.path)) {
    if (join(place.path, name) !== staging.path) return false;
  }
  return true;
}

/** A directory that the restore adds to must take it; this is found out before anything is read. */
async function refuseClosed(
  place: RestoreDirectory,
  lists: NameLists,
  { standing }: Conflicts,
  selection: Selection | null,
  { ports, children }: RestoreContext,
): Promise<void> {
  if (place.state !== "occupied" || !lists.areThere) return;
  const list = join(ports.workDirectory, "above");
  await Deno.writeFile(list, joinNames([...new Set((selection?.roots ?? []).flatMap(directoriesAbove))]));
  const above = (await statNames(place.path, list, "%F", children)).map(([, name]) => name);
  const known = new Set([...standing, ...above]);
  const entries = await entriesOf(lists, (name) => known.has(name));
  const parents = new Set([...entries.files, ...entries.directories].map(parentOf));
  const [closed] = await closedDirectories(place.path, [...parents], children);
  if (closed === undefined) return;
  throw new RunFailedError(
    `the agent can't write in ${join(place.path, oneLine(closed))}. ` +
      "Give it the right to, or restore elsewhere.",
  );
}

/** Only root gives files to others: what another agent restores becomes its own, which must not go unsaid. */
async function warnOfOwners(archive: StoredObject, { objects, ports }: RestoreContext): Promise<void> {
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

function countOf({ others }: Selection): number {
  return others.length;
}
