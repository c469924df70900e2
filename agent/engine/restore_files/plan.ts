/**
 * Plans a restore of files: finds out what is restored where, and what is in the way. Changes nothing in the
 * restore directory.
 */
import { dirname, join, normalize } from "node:path";
import * as z from "zod";
import type { FilesTarget } from "../../../src/definitions/sources/files.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Obstacle } from "../../../src/protocol/restore_preview.ts";
import type { Amounts } from "../../../src/protocol/restore_report.ts";
import { bytesOf } from "../archive/bytes.ts";
import { type Inspection, UNKNOWN_AMOUNTS } from "../obstacles.ts";
import { RunFailedError } from "../ports.ts";
import { oneLine, printable } from "../programs/line.ts";
import type { RestoreContext } from "../restore_context.ts";
import { type Conflicts, findConflicts, noConflicts, obstaclesOf } from "./conflicts.ts";
import { NameLists } from "./name_lists.ts";
import { joinNames, statNames, unwritableDirectories } from "./names.ts";
import { inspectRestoreDirectory, type RestoreDirectory, stagingDirectories } from "./restore_directory.ts";
import {
  directoriesAbove,
  listMembers,
  parentOf,
  readMembers,
  type RestoreScope,
  select,
  type Selection,
} from "./selection.ts";
import { freeSpace, tooLittleRoom } from "./room.ts";
import { entriesOf } from "./stages.ts";
import { type Contents, MemberCount } from "./survey.ts";

const FilesDescription = z.object({
  type: z.literal("files"),
  path: z.string(),
  kind: z.enum(["directory", "file"]),
});

export interface RestorePlan {
  readonly archive: StoredObject;
  readonly directory: RestoreDirectory;
  readonly lists: NameLists;
  readonly scope: RestoreScope;
  /** The conflicts that the index shows; none if the backup has no index. */
  readonly conflicts: Conflicts;
  /** The part of the backup that the restore unpacks; null without a readable index. */
  readonly contents: Contents | null;
  /** Free space where the restore unpacks, in bytes. */
  readonly freeBytes: number;
}

const STATES = {
  missing: "which does not exist yet",
  empty: "which is empty",
  occupied: "which is not empty",
};

/** Returns the plan of a restore. Reports every obstacle to `inspection`. */
export async function planRestore(
  target: FilesTarget,
  context: RestoreContext,
  inspection: Inspection,
): Promise<RestorePlan> {
  const { objects, ports } = context;
  const [archive] = objects.archives();
  if (archive === undefined || archive.database !== null) {
    throw new RunFailedError("it holds a database, not files");
  }
  const directory = await inspectRestoreDirectory(targetDirectory(target, context));
  ports.output.line(`Restoring into ${directory.path}, ${STATES[directory.state]}`);
  const lists = new NameLists(ports.workDirectory);
  const scope = await selectScope(target, archive, directory, lists, context);
  if (scope.kind === "selection") inspection.report(await linksAbove(scope, directory, context));
  const conflicts = await listedConflicts(directory, lists, context);
  const { blocking, replaced } = obstaclesOf(conflicts, directory, target.overwrite);
  inspection.report(blocking);
  inspection.report(replaced, "are there already");
  const staging = await stagingDirectories(directory);
  const closed = await unwritable(directory, lists, conflicts, scope, context);
  inspection.report(closed.length > 0 ? closed : await closedStaging(staging, context));
  const contents = await contentsOf(archive, scope, context);
  if (contents !== null) warnOfOwnership(contents, context);
  const freeBytes = await freeSpace(staging[0]!);
  inspection.report(await tooLittleRoom(staging[0]!, freeBytes, contents, ports.output));
  return { archive, directory, lists, scope, conflicts, contents, freeBytes };
}

/** Returns the requested amounts. If `contents` is null, all amounts are unknown. */
export function requestedAmounts(contents: Contents | null): Amounts {
  if (contents === null) return UNKNOWN_AMOUNTS;
  const { filesCount, directoriesCount, bytes } = contents;
  return { ...UNKNOWN_AMOUNTS, files_count: filesCount, directories_count: directoriesCount, bytes };
}

/** Returns the backup's description of the files that were backed up; null if the backup has none. */
export function sourceOf({ job }: RestoreContext): z.infer<typeof FilesDescription> | null {
  return FilesDescription.safeParse(job.backup.source).data ?? null;
}

/** Returns the path of the directory to restore into, as the target names it. */
export function targetDirectory({ path }: FilesTarget, context: RestoreContext): string {
  return path ?? originalDirectory(context);
}

/** Returns whether the target is the path that was backed up. */
export function isOriginal({ path }: FilesTarget, context: RestoreContext): boolean {
  return path === null ||
    (sourceOf(context) !== null && normalize(`${path}/`) === normalize(`${originalDirectory(context)}/`));
}

export async function listedConflicts(
  directory: RestoreDirectory,
  lists: NameLists,
  { children }: RestoreContext,
): Promise<Conflicts> {
  if (!lists.areWritten) return noConflicts();
  return await findConflicts(directory, lists.directories, lists.others, children);
}

function originalDirectory(context: RestoreContext): string {
  const source = sourceOf(context);
  if (source === null) {
    throw new RunFailedError("its original path is not known. Set target_path.");
  }
  return source.kind === "file" ? dirname(source.path) : source.path;
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
 * Checks the names of the directories above the chosen members. If the restore directory has something else
 * with such a name, such as a symbolic link, returns an obstacle. Through the link, the member would be
 * restored into another directory.
 */
async function linksAbove(
  { roots }: Selection,
  directory: RestoreDirectory,
  { ports, children }: RestoreContext,
): Promise<Obstacle[]> {
  const list = join(ports.workDirectory, "above");
  await Deno.writeFile(list, joinNames([...new Set(roots.flatMap(directoriesAbove))]));
  return (await statNames(directory.path, list, "%F", children)).filter(([type]) => type !== "directory")
    .map(([type, name]) => ({
      path: join(directory.path, printable(bytesOf(name))),
      problem: `is a ${type}, where the backup has a directory`,
      solution: "Move it away, or restore elsewhere.",
    }));
}

/**
 * Returns an obstacle for each directory in which the restore has to create files, but the agent is not
 * allowed to write.
 */
async function unwritable(
  directory: RestoreDirectory,
  lists: NameLists,
  { standing }: Conflicts,
  scope: RestoreScope,
  { ports, children }: RestoreContext,
): Promise<Obstacle[]> {
  if (directory.state !== "occupied" || !lists.areWritten) return [];
  const list = join(ports.workDirectory, "above");
  const roots = scope.kind === "whole" ? [] : scope.roots;
  await Deno.writeFile(list, joinNames([...new Set(roots.flatMap(directoriesAbove))]));
  const above = (await statNames(directory.path, list, "%F", children)).map(([, name]) => name);
  const known = new Set([...standing, ...above]);
  const entries = await entriesOf(lists, (name) => known.has(name));
  const parents = new Set([...entries.files, ...entries.directories].map(parentOf));
  const closed = await unwritableDirectories(directory.path, [...parents], children);
  return closed.map((name) => notWritable(join(directory.path, oneLine(name))));
}

/** Returns an obstacle if the agent has no right to unpack the files in any of the directories. */
async function closedStaging(
  directories: readonly string[],
  { children }: RestoreContext,
): Promise<Obstacle[]> {
  const names = directories.map((path) => path.slice(1));
  const closed = await unwritableDirectories("/", names, children);
  return closed.length < directories.length ? [] : [notWritable(directories[0]!)];
}

function notWritable(path: string): Obstacle {
  return {
    path: null,
    problem: `the agent can't write in ${path}`,
    solution: "Give it the right to, or restore elsewhere.",
  };
}

/**
 * Reads from the index what the restore unpacks. Returns null if there is no index, or if the index can't be
 * read. A restore of the whole backup does not need the index.
 */
async function contentsOf(
  archive: StoredObject,
  scope: RestoreScope,
  { objects, ports }: RestoreContext,
): Promise<Contents | null> {
  const index = objects.index(archive.database);
  if (scope.kind === "selection") return scope.contents;
  if (index === null) return null;
  try {
    const count = new MemberCount();
    await readMembers((take) => objects.lines(index, take), (member, range) => count.add(member, range));
    return count.contents;
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RunFailedError) return null;
    throw error;
  }
}

/**
 * Warns if files belong to other users. Only root can give files to other users, so the restored files will
 * belong to the agent's user.
 */
function warnOfOwnership({ owners }: Contents, { ports }: RestoreContext): void {
  const own = Deno.uid();
  if (own === 0) return;
  const others = owners.entries().reduce((sum, [uid, count]) => uid === own ? sum : sum + count, 0);
  if (others === 0) return;
  ports.output.warning(
    `The agent is not root: ${others} of the backup's files belonged to others, and become those of user id ${own}`,
  );
}
