/** Files of a tar archive into a directory: unpacked beside it, proven, then put into their place. */
import { dirname, join, normalize } from "node:path";
import * as z from "zod";
import type { FilesTarget, StoredObject } from "../../../src/protocol/job.ts";
import { bytesOf } from "../bytes.ts";
import { capture } from "../capture.ts";
import { Children } from "../children.ts";
import { printable } from "../line.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import { NameLists } from "./name_lists.ts";
import { asideOf, inspectPlace, type Place, Staging } from "./place.ts";
import { joinNames, overNames, statNames } from "./names.ts";
import { type Conflicts, findConflicts, none, publish, refuseConflicts } from "./publish.ts";
import { refuseDevices } from "./devices.ts";
import type { Put } from "./registry.ts";
import { directoriesAbove, listMembers, select, type Selection } from "./selection.ts";
import { unpackSelection, unpackWhole } from "./unpack.ts";

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
  const place = await inspectPlace(target.path ?? originalPlace(context));
  ports.output.line(`Restoring into ${place.path}, ${STATES[place.state]}`);
  const lists = new NameLists(ports.workDirectory);
  const selection = await choose(target, archive, place, lists, context);
  if (selection !== null) await refuseLinksAbove(selection, place, context);
  const expected = await conflictsOf(place, lists, context);
  refuseConflicts(expected, place, target.overwrite);
  const suffix = `${job.backup.id}-${crypto.randomUUID().slice(0, 8)}`;
  const staging = await Staging.make(place, `.rearguard-restore-${suffix}`, context);
  let isPublished = false;
  try {
    await unpack(archive, selection, staging, context);
    if (!isOriginal(target, context)) await refuseDevices(staging.path, context.children);
    const conflicts = selection === null ? await conflictsIn(staging, place, lists, context) : expected;
    refuseConflicts(conflicts, place, target.overwrite);
    ports.signal.throwIfAborted();
    ports.output.line(`Everything is unpacked and proven. Putting it into ${place.path}`);
    const isRooted = sourceOf(context)?.kind !== "file";
    if (!isRooted && selection === null) await lists.find(staging.path, context.children);
    const unpacked = {
      staging: staging.path,
      isRooted,
      aside: asideOf(staging.path),
      roots: selection?.roots ?? (isRooted ? null : await lists.readOthers()),
      lists,
      workDirectory: ports.workDirectory,
    };
    // Half of it in its place is worse than all of it: a cancel comes too late from here.
    await using placing = new Children(ports.clock, new AbortController().signal);
    await publish(unpacked, place, conflicts, placing);
    isPublished = true;
  } finally {
    await staging.remove(!isPublished);
  }
  return { filesCount: selection === null ? job.backup.files_count : countOf(selection) };
}

const STATES = {
  missing: "which is not there yet",
  empty: "which is empty",
  occupied: "which holds something already",
};

function originalPlace(context: RestoreContext): string {
  const source = sourceOf(context);
  if (source === null) {
    throw new RunFailedError("where it came from is not known. Say where to restore it: target_path.");
  }
  return source.kind === "file" ? dirname(source.path) : source.path;
}

/** By the path that was given. */
function isOriginal({ path }: FilesTarget, context: RestoreContext): boolean {
  return path === null ||
    (sourceOf(context) !== null && normalize(`${path}/`) === normalize(`${originalPlace(context)}/`));
}

function sourceOf({ job }: RestoreContext): z.infer<typeof FilesDescription> | null {
  return FilesDescription.safeParse(job.backup.source).data ?? null;
}

/** Null where everything is restored. Where the index is there, names are listed for a first look at what is in the way. */
async function choose(
  target: FilesTarget,
  archive: StoredObject,
  place: Place,
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
  place: Place,
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
  place: Place,
  lists: NameLists,
  { children }: RestoreContext,
): Promise<Conflicts> {
  if (!lists.areThere) return none();
  return await findConflicts(place, lists.directories, lists.others, children);
}

/** Of what was really unpacked. */
async function conflictsIn(
  staging: Staging,
  place: Place,
  lists: NameLists,
  context: RestoreContext,
): Promise<Conflicts> {
  if (place.state !== "occupied") return none();
  await lists.find(staging.path, context.children);
  return await conflictsOf(place, lists, context);
}

async function unpack(
  archive: StoredObject,
  selection: Selection | null,
  staging: Staging,
  context: RestoreContext,
): Promise<void> {
  if (selection === null) return await unpackWhole(archive, staging.path, context);
  await unpackSelection(archive, selection, staging.path, context);
  await removeExtras(staging.path, selection, context);
  await checkSelection(staging.path, selection, context);
}

/** What hard links lead to was unpacked for their sake, with directories that nothing else needs. */
async function removeExtras(
  directory: string,
  { extras, directories, roots }: Selection,
  { children }: RestoreContext,
): Promise<void> {
  if (extras.length === 0) return;
  await overNames(directory, ["rm", "--force", "--"], extras, children);
  const wanted = new Set([...directories, ...roots.flatMap(directoriesAbove)]);
  const needless = [...new Set(extras.flatMap(directoriesAbove))].filter((name) => !wanted.has(name))
    .sort((a, b) => b.length - a.length);
  await overNames(directory, ["rmdir", "--"], needless, children);
}

/** An archive that is not read whole is not proven whole: what came out of it is compared with the index, which is. */
async function checkSelection(
  directory: string,
  { directories, others }: Selection,
  { children }: RestoreContext,
): Promise<void> {
  const { stdout } = await capture(children, {
    program: "find",
    args: [directory, "-mindepth", "1", "-not", "-type", "d", "-printf", "."],
  });
  if (stdout.length !== others.length) {
    throw new RunFailedError(
      `its archive is not the one that its index tells of: ${stdout.length} files came out of ${others.length}`,
    );
  }
  await overNames(directory, ["stat", "--printf=", "--"], [...directories, ...others], children);
}

function countOf({ others }: Selection): number {
  return others.length;
}
