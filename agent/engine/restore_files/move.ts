/** Moves files from one directory into another of the same file system, under the same names. */
import type { Children } from "../programs/children.ts";
import { DIRECTORY_INTO, joinNames, overNames, statNames } from "./names.ts";
import { parentOf } from "./selection.ts";

/** Maximum bytes of names for one command; xargs(1) would put more on one command line. */
const GROUP_BYTES = 60_000;

const LINK = ["cp", "--archive", "--no-preserve=xattr", "--link", "--remove-destination", "--parents"];

/**
 * Links files, which takes no space and keeps the name in `from`. Moves files that cannot be linked, as on
 * file systems without hard links. Replaces what exists under these names.
 *
 * @param list A file for names, in the run's work directory.
 */
export async function linkOrMove(
  from: string,
  to: string,
  names: readonly string[],
  list: string,
  children: Children,
): Promise<void> {
  try {
    await overNames(from, [...LINK, "-t", DIRECTORY_INTO, "--"], names, children, to);
  } catch {
    // If all files are linked, only the owners of directories above them could not be set.
    const rest = await notLinked(from, to, names, list, children);
    await makeParents(to, rest, children);
    await moveNames(from, to, rest, children);
  }
}

/** Renames files and directories. The directories above them must exist. */
export async function moveNames(
  from: string,
  to: string,
  names: readonly string[],
  children: Children,
): Promise<void> {
  const script = 'to=$1; directory=$2; shift 2; exec mv -f -t "$to/$directory" -- "$@"';
  for (const { parent, group } of groups(names)) {
    // Each group is one command, because the first name is the directory: it is shorter than a command line
    // of xargs.
    await overNames(from, ["sh", "-c", script, "sh", DIRECTORY_INTO], [parent, ...group], children, to);
  }
}

/** Yields groups of names that one command moves: of the same directory, and within `GROUP_BYTES`. */
function* groups(names: readonly string[]): Generator<{ parent: string; group: string[] }> {
  const byParent = Map.groupBy(names, parentOf);
  for (const [parent, all] of byParent) {
    let group: string[] = [];
    let size = parent.length;
    for (const name of all) {
      if (group.length > 0 && size + name.length + 3 > GROUP_BYTES) {
        yield { parent, group };
        group = [];
        size = parent.length;
      }
      group.push(name);
      size += name.length + 3;
    }
    yield { parent, group };
  }
}

async function makeParents(to: string, names: readonly string[], children: Children): Promise<void> {
  const parents = new Set(names.map(parentOf));
  parents.delete("");
  await overNames(to, ["mkdir", "-p", "--"], [...parents], children);
}

async function notLinked(
  from: string,
  to: string,
  names: readonly string[],
  list: string,
  children: Children,
): Promise<string[]> {
  await Deno.writeFile(list, joinNames(names));
  const existing = new Map(
    (await statNames(to, list, "%d:%i", children)).map(([id, name]) => [name, id]),
  );
  return (await statNames(from, list, "%d:%i", children))
    .filter(([id, name]) => existing.get(name) !== id).map(([, name]) => name);
}
