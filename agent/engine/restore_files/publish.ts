/** From the directory where a backup was unpacked to where it belongs: all of it, or nothing. */
import { dirname, join } from "node:path";
import { byteString } from "../archive/bytes.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError, type RunPorts } from "../ports.ts";
import { removeTree } from "../remove_tree.ts";
import { giveAttributes, saveAttributes } from "./attributes.ts";
import type { Conflicts } from "./conflicts.ts";
import { linkOrMove, moveNames } from "./move.ts";
import type { NameLists } from "./name_lists.ts";
import { joinNames, overNames, readNames, statNames } from "./names.ts";
import { copyTime, type RestoreDirectory, timeFile } from "./restore_directory.ts";
import { directoriesAbove, parentOf } from "./selection.ts";
import { entriesOf, makeStages, type Stage } from "./stages.ts";
import { type FoldedWarnings, unsetProperty } from "./unpack_messages.ts";
import { forgetUndo, planUndo, undo, undoFiles } from "./undo.ts";

/** What is put into its place, and where from. */
export interface Unpacked {
  readonly staging: string;
  /** The backup has the place itself as a member, which the staging directory got its attributes from. */
  readonly isRooted: boolean;
  /** What is put there, with all below it; null for everything, the place itself too. */
  readonly roots: readonly string[] | null;
  readonly lists: NameLists;
}

type Ports = Pick<RunPorts, "clock" | "output" | "scratch" | "workDirectory"> & {
  /** Shared with unpacking, so that each kind is named once. */
  warnings: FoldedWarnings;
};

/**
 * Puts what was unpacked into its place. Where that fails the place is left as it was, unless the error says
 * otherwise; what is replaced is set aside until then. Once all is in its place nothing fails any more.
 */
export async function publish(
  unpacked: Unpacked,
  place: RestoreDirectory,
  conflicts: Conflicts,
  ports: Ports,
  children: Children,
): Promise<void> {
  const { staging, isRooted } = unpacked;
  // A directory takes the name of none, or of an empty one that can't be written to, in one step.
  const isBeside = place.state === "empty" && dirname(staging) === dirname(place.path);
  if (place.state === "missing" || (isBeside && isRooted)) {
    return await takeName(staging, isRooted, place.path, ports);
  }
  const work = ports.workDirectory;
  const isKnown = await prepare(unpacked, place.path, conflicts, work, children);
  const attributes = join(work, "directories.tar.zst");
  const stages: Stage[] = [];
  try {
    const { lists } = unpacked;
    const { replaced } = conflicts;
    const split = { place: place.path, staging, lists, standing: isKnown, replaced, workDirectory: work };
    stages.push(...await makeStages(split, ports, children));
    await planUndo(work, place.path, stages);
    for (const stage of stages) await setAside(stage, work, children);
    await overNames(place.path, ["rm", "--force", "--"], conflicts.obstructing, children);
    for (const stage of stages) await put(stage, place.path, isKnown, work, children);
    for (const line of await giveAttributes(place.path, attributes, children)) {
      ports.warnings.add(`${unsetProperty(line)} not set`, line);
    }
  } catch (error) {
    await undo(work, children, ports.clock).catch((failure) => {
      throw new RunFailedError(`${(error as Error).message}. ${(failure as Error).message}`, {
        cause: error,
      });
    });
    throw error;
  }
  await forgetUndo(work);
  await cleanUp(stages, unpacked, isKnown, ports, children);
}

/**
 * Resolves with the names of directories that are there. Writes the lists that undoing takes, and attributes.
 */
async function prepare(
  { staging, lists, roots }: Unpacked,
  place: string,
  { standing }: Conflicts,
  work: string,
  children: Children,
): Promise<ReadonlySet<string>> {
  const files = undoFiles(work);
  if (!lists.areThere) await lists.find(staging, children);
  const above = [...new Set((roots ?? []).flatMap(directoriesAbove))];
  await Deno.writeFile(files.above, joinNames(above));
  const there = new Set((await statNames(place, files.above, "%F", children)).map(([, name]) => name));
  const known = new Set([...standing, ...there]);
  await Deno.writeFile(files.standing, joinNames([...known]));
  await Deno.writeFile(files.missing, joinNames(above.filter((name) => !there.has(name))));
  await saveAttributes(place, [files.standing], true, files.attributes, children);
  const made = [lists.directories, files.missing];
  await saveAttributes(staging, made, roots === null, join(work, "directories.tar.zst"), children);
  await openDirectories(staging, children);
  return known;
}

/** In one step, but for what it takes to make way for it. */
async function takeName(
  staging: string,
  isRooted: boolean,
  path: string,
  { output }: Ports,
): Promise<void> {
  const { mode } = await Deno.stat(staging);
  await Deno.mkdir(dirname(path), { recursive: true });
  if (dirname(staging) !== dirname(path)) await openDirectory(staging, mode!);
  await Deno.rename(staging, path).catch((error) => {
    throw new RunFailedError(
      `the agent can't make ${path}: ${error.message}. Give it the right to, or restore elsewhere.`,
      { cause: error },
    );
  });
  // A new directory gets the mode of any new one: the staging directory's is the agent's own.
  const wanted = isRooted ? mode! & 0o7777 : (mode! & 0o7777) | (0o777 & ~Deno.umask());
  if (((await Deno.stat(path)).mode! & 0o7777) === wanted) return;
  await Deno.chmod(path, wanted).catch((error) =>
    output.warning(`Cannot set the mode of ${path}: ${error.message}`)
  );
}

/** Without the right to write to it, a directory of the agent's own can't be moved, nor what is in it. */
async function openDirectories(staging: string, children: Children): Promise<void> {
  if (Deno.uid() === 0) return;
  const closed = ["-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", "+"];
  await children.spawn({ program: "find", args: [staging, ...closed] }, {
    stdout: "null",
    onMessage: () => {},
  }).exited;
}

async function openDirectory(path: string, mode: number): Promise<void> {
  if (Deno.uid() !== 0) await Deno.chmod(path, (mode & 0o7777) | 0o700);
}

async function setAside({ base, aside, replaced }: Stage, work: string, children: Children): Promise<void> {
  for await (const names of readNames(replaced)) {
    if (names.length === 0) return;
    await Deno.mkdir(aside, { recursive: true, mode: 0o700 });
    await linkOrMove(base, aside, names, undoFiles(work).batch, children);
  }
}

/**
 * Files are linked into directories that are there; directories that are not are renamed with all they hold.
 */
async function put(
  stage: Stage,
  place: string,
  standing: ReadonlySet<string>,
  work: string,
  children: Children,
): Promise<void> {
  const { base, staging } = stage;
  const entries = await entriesOf(stage, isStandingIn(stage, place, standing));
  await moveNames(staging, base, entries.directories, children);
  await linkOrMove(staging, base, entries.files, undoFiles(work).batch, children);
}

/**
 * Removes staging directories and replaced files. Leaves restored files unchanged, and never fails the
 * restore.
 */
async function cleanUp(
  stages: readonly Stage[],
  { roots }: Unpacked,
  standing: ReadonlySet<string>,
  ports: Ports,
  children: Children,
): Promise<void> {
  for (const [index, stage] of stages.entries()) {
    // Removing what lies in a directory changes its time, which is the backup's by now.
    const time = join(ports.workDirectory, `time-${index}`);
    const isIn = dirname(stage.staging) === stage.base;
    if (isIn) await copyTime(stage.base, time, children);
    const closedMode = isIn ? await openClosed(stage.base) : null;
    await removeLeft(stage.aside, ports);
    await removeLeft(stage.staging, ports);
    if (closedMode !== null) await Deno.chmod(stage.base, closedMode);
    const isUntouched = isIn && index === 0 && roots !== null &&
      !roots.some((name) => parentOf(name) === "" || !standing.has(directoriesAbove(name).at(-1)!));
    const from = isUntouched ? timeFile(ports.workDirectory) : time;
    if (isIn) await copyTime(from, stage.base, children).catch(() => {});
  }
}

/**
 * Opens a directory of the agent's own for changes. Resolves with the mode to close it with; null where it is
 * open.
 */
async function openClosed(path: string): Promise<number | null> {
  const { mode, uid } = await Deno.stat(path);
  if (Deno.uid() === 0 || uid !== Deno.uid() || (mode! & 0o300) === 0o300) return null;
  await Deno.chmod(path, (mode! & 0o7777) | 0o700);
  return mode! & 0o7777;
}

/** Removes what a restore leaves behind, and warns where that can't be done. */
export async function removeLeft(
  path: string,
  { clock, output }: Pick<Ports, "clock" | "output">,
): Promise<void> {
  await removeTree(path, clock).catch((error) => {
    output.warning(`Cannot remove ${path}: ${(error as Error).message}. Remove it by hand.`);
  });
}

function isStandingIn(
  { base }: Stage,
  place: string,
  standing: ReadonlySet<string>,
): (name: string) => boolean {
  const region = base === place ? "" : `${byteString(base.slice(place === "/" ? 1 : place.length + 1))}/`;
  return (name) => standing.has(`${region}${name}`);
}
