/** From the directory where a backup was unpacked to where it belongs: all of it, or nothing. */
import { dirname, join } from "node:path";
import { bytesOf, latin1 } from "../bytes.ts";
import { capture } from "../capture.ts";
import type { Children, Command } from "../children.ts";
import { printable } from "../line.ts";
import { RunFailedError } from "../ports.ts";
import type { Place } from "./place.ts";

/** What lies in the way of a restore, as byte strings relative to the place. */
export interface Conflicts {
  /** Would be replaced by what is restored. */
  replaced: string[];
  /** Those of the above that stand where the backup has a directory. */
  obstructing: string[];
  /** Directories where the backup has something else: never removed. */
  blocking: string[];
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
  for (const [type, name] of await look(place.path, directories, children)) {
    if (type === "directory") continue;
    conflicts.replaced.push(name);
    conflicts.obstructing.push(name);
  }
  for (const [type, name] of await look(place.path, others, children)) {
    (type === "directory" ? conflicts.blocking : conflicts.replaced).push(name);
  }
  return conflicts;
}

export function none(): Conflicts {
  return { replaced: [], obstructing: [], blocking: [] };
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

/**
 * Puts everything, or only `roots`, into its place. What it replaces is set aside until it is done, and put back where it fails.
 *
 * @param aside A path on the same file system, for what is replaced.
 */
export async function publish(
  staging: string,
  place: Place,
  roots: readonly string[] | null,
  conflicts: Conflicts,
  aside: string,
  children: Children,
): Promise<void> {
  // A directory takes the name of an empty one, or of none, in one step.
  if (place.state === "missing" || (place.state === "empty" && dirname(staging) === dirname(place.path))) {
    await Deno.mkdir(dirname(place.path), { recursive: true });
    return await Deno.rename(staging, place.path);
  }
  await setAside(place.path, conflicts.replaced, aside, children);
  try {
    await overNames(place.path, ["rm", "--force", "--"], conflicts.obstructing, children);
    await link(staging, place.path, roots, children);
  } catch (error) {
    await putBack(aside, place.path, conflicts, children, error as Error);
    await Deno.remove(aside, { recursive: true }).catch(() => {});
    throw error;
  }
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

async function putBack(
  aside: string,
  to: string,
  { replaced, obstructing }: Conflicts,
  children: Children,
  cause: Error,
): Promise<void> {
  if (replaced.length === 0) return;
  const put = ["cp", "--archive", "--link", "--parents", "--remove-destination", "-t", to, "--"];
  try {
    // Directories of the backup that took their places.
    await overNames(to, ["rm", "--force", "--recursive", "--"], obstructing, children);
    await overNames(aside, put, replaced, children);
  } catch (error) {
    throw new RunFailedError(
      `${cause.message}. What was replaced in ${to} could not all be put back (${
        (error as Error).message
      }): it is kept in ${aside}`,
      { cause },
    );
  }
}

/** Hard links cost no room, and files keep all they have. */
async function link(
  from: string,
  to: string,
  roots: readonly string[] | null,
  children: Children,
): Promise<void> {
  const linking = ["cp", "--archive", "--link", "--remove-destination"];
  if (roots !== null) {
    return await overNames(from, [...linking, "--parents", "-t", to, "--"], roots, children);
  }
  await run({ program: linking[0]!, args: [...linking.slice(1), "-T", from, to] }, children);
}

/** Runs a command with the names, which are relative to `directory`, behind its arguments. */
export async function overNames(
  directory: string,
  command: readonly string[],
  names: readonly string[],
  children: Children,
): Promise<void> {
  const input = joinNames(names);
  const { exit, messages } = await capture(
    children,
    { program: "env", args: [`--chdir=${directory}`, "xargs", "-0", "-r", ...command] },
    input,
  );
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `${command[0]} exited with ${exit.code}`);
}

async function run(command: Command, children: Children): Promise<void> {
  const { exit, messages } = await capture(children, command);
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `${command.program} exited with ${exit.code}`);
}

/** Names that can't be taken for options, each ended by NUL. */
export function joinNames(names: readonly string[]): Uint8Array {
  return bytesOf(names.map((name) => `./${name}\0`).join(""));
}

/** Type, as stat(1) calls it, and name of those that are there. */
async function look(
  directory: string,
  list: string,
  children: Children,
): Promise<[type: string, name: string][]> {
  const found: [string, string][] = [];
  const child = children.spawn({
    program: "env",
    args: [`--chdir=${directory}`, "xargs", "-0", "-r", "stat", "--printf=%F\\t%n\\0", "--"],
    redirects: [
      { descriptor: 0, direction: "<", path: list },
      // It says so of each that is not there.
      { descriptor: 2, direction: ">", path: "/dev/null" },
    ],
  }, { stdout: "piped", onMessage: () => {} });
  let rest = "";
  for await (const chunk of child.stdout!) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    for (const entry of entries) {
      const cut = entry.indexOf("\t");
      found.push([entry.slice(0, cut), entry.slice(cut + 3)]);
    }
  }
  await child.exited;
  return found;
}
