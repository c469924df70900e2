/** Publishes the contents of a staging directory into the restore directory: all of them, or none. */
import { dirname, join } from "node:path";
import { byteString } from "../archive/bytes.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError, type RunPorts } from "../ports.ts";
import { removeTree } from "../remove_tree.ts";
import { applyAttributes, saveAttributes } from "./attributes.ts";
import type { Conflicts } from "./conflicts.ts";
import { linkOrMove, moveNames } from "./move.ts";
import type { NameLists } from "./name_lists.ts";
import { joinNames, overNames, readNames, statNames } from "./names.ts";
import { copyTime, type RestoreDirectory, timeFile } from "./restore_directory.ts";
import { directoriesAbove, parentOf } from "./selection.ts";
import { entriesOf, makeStages, type Stage } from "./stages.ts";
import { type FoldedWarnings, unsetProperty } from "./unpack_messages.ts";
import { forgetUndo, planUndo, undo, undoFiles } from "./undo.ts";

/** The unpacked contents of a staging directory. */
export interface Unpacked {
  readonly staging: string;
  /**
   * Whether the backup contains the restore directory itself. The staging directory then has the attributes
   * from the backup.
   */
  readonly isRooted: boolean;
  /**
   * Names to publish, each with all its contents. Null publishes everything, including the attributes of the
   * restore directory itself.
   */
  readonly roots: readonly string[] | null;
  readonly lists: NameLists;
}

type Ports = Pick<RunPorts, "clock" | "output" | "scratch" | "workDirectory"> & {
  /**
   * Warnings of the whole restore. Unpacking and publishing share this `FoldedWarnings`, so that its limit of
   * lines applies to both together.
   */
  warnings: FoldedWarnings;
};

/**
 * Publishes unpacked files. Keeps the files that they replace until all files are published. If publishing
 * fails, returns the restore directory to its earlier state. If returning it fails too, the error says so.
 * After all files are published, nothing can fail any more.
 */
export async function publish(
  unpacked: Unpacked,
  directory: RestoreDirectory,
  conflicts: Conflicts,
  ports: Ports,
  children: Children,
): Promise<void> {
  const { staging, isRooted } = unpacked;
  // Rename the whole staging directory if the restore directory is missing. Also rename it if the restore
  // directory is empty and the agent cannot write to it. The rename publishes everything in one step.
  const isSibling = directory.state === "empty" && dirname(staging) === dirname(directory.path);
  if (directory.state === "missing" || (isSibling && isRooted)) {
    return await renameStaging(staging, isRooted, directory.path, ports);
  }
  const work = ports.workDirectory;
  const existing = await prepare(unpacked, directory.path, conflicts, work, children);
  const attributes = join(work, "directories.tar.zst");
  const stages: Stage[] = [];
  try {
    const { lists } = unpacked;
    const { replaced } = conflicts;
    const split = {
      directory: directory.path,
      staging,
      lists,
      standing: existing,
      replaced,
      workDirectory: work,
    };
    stages.push(...await makeStages(split, ports, children));
    await planUndo(work, directory.path, stages);
    for (const stage of stages) await keepReplaced(stage, work, children);
    await overNames(directory.path, ["rm", "--force", "--"], conflicts.obstructing, children);
    for (const stage of stages) await publishStage(stage, directory.path, existing, work, children);
    for (const line of await applyAttributes(directory.path, attributes, children)) {
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
  await cleanUp(stages, unpacked, existing, ports, children);
}

/**
 * Writes the files that the undo plan refers to: lists of names, and saved attributes of directories.
 * Resolves with the names of the backup's directories that already exist in the restore directory.
 */
async function prepare(
  { staging, lists, roots }: Unpacked,
  directory: string,
  { standing }: Conflicts,
  work: string,
  children: Children,
): Promise<ReadonlySet<string>> {
  const files = undoFiles(work);
  if (!lists.areWritten) await lists.find(staging, children);
  const above = [...new Set((roots ?? []).flatMap(directoriesAbove))];
  await Deno.writeFile(files.above, joinNames(above));
  const there = new Set((await statNames(directory, files.above, "%F", children)).map(([, name]) => name));
  const known = new Set([...standing, ...there]);
  await Deno.writeFile(files.standing, joinNames([...known]));
  await Deno.writeFile(files.missing, joinNames(above.filter((name) => !there.has(name))));
  await saveAttributes(directory, [files.standing], true, files.attributes, children);
  const made = [lists.directories, files.missing];
  await saveAttributes(staging, made, roots === null, join(work, "directories.tar.zst"), children);
  await makeDirectoriesWritable(staging, children);
  return known;
}

/** Renames the staging directory to `path`. Creates missing directories above `path`. */
async function renameStaging(
  staging: string,
  isRooted: boolean,
  path: string,
  { output }: Ports,
): Promise<void> {
  const { mode } = await Deno.stat(staging);
  await Deno.mkdir(dirname(path), { recursive: true });
  if (dirname(staging) !== dirname(path)) await makeDirectoryWritable(staging, mode!);
  await Deno.rename(staging, path).catch((error) => {
    throw new RunFailedError(
      `the agent can't make ${path}: ${error.message}. Give it the right to, or restore elsewhere.`,
      { cause: error },
    );
  });
  // If the backup has no mode for the directory, set the usual mode. The mode of the staging directory would
  // admit only the agent.
  const wanted = isRooted ? mode! & 0o7777 : (mode! & 0o7777) | (0o777 & ~Deno.umask());
  if (((await Deno.stat(path)).mode! & 0o7777) === wanted) return;
  await Deno.chmod(path, wanted).catch((error) =>
    output.warning(`Cannot set the mode of ${path}: ${error.message}`)
  );
}

/**
 * Makes directories writable for the agent. Without write permission for a directory, the agent can move
 * neither the directory nor its contents.
 */
async function makeDirectoriesWritable(staging: string, children: Children): Promise<void> {
  if (Deno.uid() === 0) return;
  const closed = ["-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", "+"];
  await children.spawn({ program: "find", args: [staging, ...closed] }, {
    stdout: "null",
    onMessage: () => {},
  }).exited;
}

async function makeDirectoryWritable(path: string, mode: number): Promise<void> {
  if (Deno.uid() !== 0) await Deno.chmod(path, (mode & 0o7777) | 0o700);
}

async function keepReplaced(
  { base, aside, replaced }: Stage,
  work: string,
  children: Children,
): Promise<void> {
  for await (const names of readNames(replaced)) {
    if (names.length === 0) return;
    await Deno.mkdir(aside, { recursive: true, mode: 0o700 });
    await linkOrMove(base, aside, names, undoFiles(work).batch, children);
  }
}

/**
 * Publishes one stage. Links files into existing directories, and moves new directories with all their
 * contents.
 */
async function publishStage(
  stage: Stage,
  directory: string,
  standing: ReadonlySet<string>,
  work: string,
  children: Children,
): Promise<void> {
  const { base, staging } = stage;
  const entries = await entriesOf(stage, isStandingIn(stage, directory, standing));
  await moveNames(staging, base, entries.directories, children);
  await linkOrMove(staging, base, entries.files, undoFiles(work).batch, children);
}

/**
 * Removes staging directories and the replaced files that were kept. Leaves restored files unchanged. Never
 * rejects.
 */
async function cleanUp(
  stages: readonly Stage[],
  { roots }: Unpacked,
  standing: ReadonlySet<string>,
  ports: Ports,
  children: Children,
): Promise<void> {
  for (const [index, stage] of stages.entries()) {
    // `base` already has the modification time from the backup. Removing the staging directory changes this
    // time. So keep the time and set it again.
    const time = join(ports.workDirectory, `time-${index}`);
    const isIn = dirname(stage.staging) === stage.base;
    if (isIn) await copyTime(stage.base, time, children);
    const closedMode = isIn ? await makeWritable(stage.base) : null;
    await removeLeftover(stage.aside, ports);
    await removeLeftover(stage.staging, ports);
    if (closedMode !== null) await Deno.chmod(stage.base, closedMode);
    const isUntouched = isIn && index === 0 && roots !== null &&
      !roots.some((name) => parentOf(name) === "" || !standing.has(directoriesAbove(name).at(-1)!));
    const from = isUntouched ? timeFile(ports.workDirectory) : time;
    if (isIn) await copyTime(from, stage.base, children).catch(() => {});
  }
}

/**
 * Makes a directory writable if it belongs to the agent's user. Resolves with its former mode; null if the
 * mode was not changed.
 */
async function makeWritable(path: string): Promise<number | null> {
  const { mode, uid } = await Deno.stat(path);
  if (Deno.uid() === 0 || uid !== Deno.uid() || (mode! & 0o300) === 0o300) return null;
  await Deno.chmod(path, (mode! & 0o7777) | 0o700);
  return mode! & 0o7777;
}

/** Removes a directory that a restore left behind. Writes a warning if the directory cannot be removed. */
export async function removeLeftover(
  path: string,
  { clock, output }: Pick<Ports, "clock" | "output">,
): Promise<void> {
  await removeTree(path, clock).catch((error) => {
    output.warning(`Cannot remove ${path}: ${(error as Error).message}. Remove it by hand.`);
  });
}

function isStandingIn(
  { base }: Stage,
  directory: string,
  standing: ReadonlySet<string>,
): (name: string) => boolean {
  const region = base === directory
    ? ""
    : `${byteString(base.slice(directory === "/" ? 1 : directory.length + 1))}/`;
  return (name) => standing.has(`${region}${name}`);
}
