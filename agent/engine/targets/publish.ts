/** From the directory where a backup was unpacked to where it belongs: all of it, or nothing. */
import { dirname, join } from "node:path";
import { bytesOf } from "../bytes.ts";
import { capture } from "../capture.ts";
import type { Children, Command } from "../children.ts";
import { printable } from "../line.ts";
import { RunFailedError } from "../ports.ts";
import { giveAttributes, saveAttributes } from "./attributes.ts";
import type { NameLists } from "./name_lists.ts";
import { overNames, statNames } from "./names.ts";
import type { Place } from "./place.ts";
import { forgetUndo, prepareUndo, undo } from "./undo.ts";

/** What lies in the way of a restore, as byte strings relative to the place. */
export interface Conflicts {
  /** Would be replaced by what is restored. */
  replaced: string[];
  /** Those of the above that stand where the backup has a directory. */
  obstructing: string[];
  /** Directories where the backup has something else: never removed. */
  blocking: string[];
  /** Directories that the backup has as well: what they hold stays. */
  standing: string[];
}

/**
 * Looks for what is in the way.
 *
 * @param directories File of names of the backup's directories, each ended by NUL. @param others The same of everything else.
 */
export async function findConflicts(
  place: Place,
  directories: string,
  others: string,
  children: Children,
): Promise<Conflicts> {
  if (place.state !== "occupied") return none();
  const conflicts = none();
  for (const [type, name] of await statNames(place.path, directories, "%F", children)) {
    if (type === "directory") {
      conflicts.standing.push(name);
      continue;
    }
    conflicts.replaced.push(name);
    conflicts.obstructing.push(name);
  }
  for (const [type, name] of await statNames(place.path, others, "%F", children)) {
    (type === "directory" ? conflicts.blocking : conflicts.replaced).push(name);
  }
  return conflicts;
}

export function none(): Conflicts {
  return { replaced: [], obstructing: [], blocking: [], standing: [] };
}

/** Rejects where the run may not replace what it would have to. */
export function refuseConflicts({ replaced, blocking }: Conflicts, place: Place, overwrite: boolean): void {
  const named = (name: string) => join(place.path, printable(bytesOf(name)));
  if (blocking.length > 0) {
    throw new RunFailedError(
      `${
        named(blocking[0]!)
      } is a directory, and the backup has no directory there. Move it away, or restore elsewhere.`,
    );
  }
  if (replaced.length === 0 || overwrite) return;
  const count = replaced.length === 1
    ? "is there already"
    : `and ${replaced.length - 1} more are there already`;
  throw new RunFailedError(
    `${named(replaced[0]!)} ${count}. Set overwrite to replace, or restore elsewhere.`,
  );
}

/** What is put into its place, and where from. */
export interface Unpacked {
  readonly staging: string;
  /** The backup has the place itself as a member, which the staging directory got its attributes from. */
  readonly isRooted: boolean;
  /** A path on the same file system, for what is replaced. */
  readonly aside: string;
  /** What is put there, with all below it; null for everything, the place itself too. */
  readonly roots: readonly string[] | null;
  readonly lists: NameLists;
  /** The run's own directory, which the next agent finds where this one is killed. */
  readonly workDirectory: string;
}

/**
 * Puts what was unpacked into its place. Where that fails the place is left as it was, unless the error says otherwise; what is replaced
 * is set aside until then.
 */
export async function publish(
  { staging, isRooted, aside, roots, lists, workDirectory }: Unpacked,
  place: Place,
  conflicts: Conflicts,
  children: Children,
): Promise<void> {
  // A directory takes the name of an empty one, or of none, in one step.
  const isBeside = place.state === "empty" && dirname(staging) === dirname(place.path);
  if (place.state === "missing" || (isBeside && isRooted)) {
    if (!isRooted) await openUp(staging);
    await Deno.mkdir(dirname(place.path), { recursive: true });
    return await Deno.rename(staging, place.path);
  }
  const { replaced, standing } = conflicts;
  const publishing = { place: place.path, staging, aside, lists, roots, replaced, standing };
  const directories = await prepareUndo(workDirectory, publishing, children);
  const attributes = join(workDirectory, "directories.tar.zst");
  try {
    await saveAttributes(staging, directories, roots === null, attributes, children);
    await setAside(place.path, replaced, aside, children);
    await overNames(place.path, ["rm", "--force", "--"], conflicts.obstructing, children);
    await link(staging, place.path, roots, children);
    await giveAttributes(place.path, attributes, children);
  } catch (error) {
    await undo(workDirectory, children).catch((failure) => {
      throw new RunFailedError(`${(error as Error).message}. ${(failure as Error).message}`, {
        cause: error,
      });
    });
    throw error;
  }
  await forgetUndo(workDirectory);
  await Deno.remove(aside, { recursive: true }).catch(() => {});
}

/** To the mode of any new directory: it is the agent's own so far. Whatever else it inherited when it was made stays. */
async function openUp(staging: string): Promise<void> {
  const { mode } = await Deno.stat(staging);
  await Deno.chmod(staging, (mode! & 0o7777) | (0o777 & ~Deno.umask()));
}

async function setAside(
  from: string,
  names: readonly string[],
  aside: string,
  children: Children,
): Promise<void> {
  if (names.length === 0) return;
  await Deno.mkdir(aside, { mode: 0o700 });
  await overNames(from, ["cp", "--archive", "--link", "--parents", "-t", aside, "--"], names, children);
}

/** Hard links cost no room, and files keep all they have. Extended attributes of directories, which can't be taken back, come last. */
async function link(
  from: string,
  to: string,
  roots: readonly string[] | null,
  children: Children,
): Promise<void> {
  const linking = ["cp", "--archive", "--no-preserve=xattr", "--link", "--remove-destination"];
  if (roots !== null) {
    return await overNames(from, [...linking, "--parents", "-t", to, "--"], roots, children);
  }
  // With a redirect, it does not go on after an agent that is killed.
  const redirects = [{ descriptor: 0, direction: "<" as const, path: "/dev/null" }];
  await run({ program: linking[0]!, args: [...linking.slice(1), "-T", from, to], redirects }, children);
}

async function run(command: Command, children: Children): Promise<void> {
  const { exit, messages } = await capture(children, command);
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `${command.program} exited with ${exit.code}`);
}
