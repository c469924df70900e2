/** Moves files from one directory into another on the same file system. The files keep their names. */
import type { Children } from "../programs/children.ts";
import { DIRECTORY_INTO, joinNames, overNames, statNames } from "./names.ts";
import { parentOf } from "./selection.ts";

/** Maximum number of bytes of names for one command. xargs(1) accepts more on one command line. */
const GROUP_BYTES = 60_000;

const LINK = ["cp", "--archive", "--no-preserve=xattr", "--link", "--remove-destination", "--parents"];

/**
 * Hard-links the files `names` of the directory `from` into `to`. Links take no space, and the files stay in
 * `from`. Files that cannot be linked are moved instead. Replaces files of these names in `to`.
 *
 * @param list Path in the run's work directory, for a temporary file that lists names.
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
    // The command can fail although all files were linked. For example, it might be unable to set the owners
    // of the directories above the files. So find out which files are not linked.
    const rest = await notLinked(from, to, names, list, children);
    await makeParents(to, rest, children);
    await moveNames(from, to, rest, children);
  }
}

/** Moves files and directories by renaming them. Their new parent directories must exist. */
export async function moveNames(
  from: string,
  to: string,
  names: readonly string[],
  children: Children,
): Promise<void> {
  const script = 'to=$1; directory=$2; shift 2; exec mv -f -t "$to/$directory" -- "$@"';
  for (const { parent, group } of groups(names)) {
    // xargs must run only one command for the group. The first name that xargs passes is the directory to
    // move into, and only the first command would get this name. One command is enough, because a group has
    // at most `GROUP_BYTES`.
    await overNames(from, ["sh", "-c", script, "sh", DIRECTORY_INTO], [parent, ...group], children, to);
  }
}

/**
 * Yields groups of names to be moved by one command: names in the same directory, of at most `GROUP_BYTES` in
 * total.
 */
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
