/** Finds the other paths of a file or directory that has several paths because of bind mounts. */
import { isWithin, type Mount, mountOf } from "../../mounts.ts";
import { join, parentOf, relative } from "./path_text.ts";

/**
 * Returns the other paths within `root` that lead to the file at `path`. If the file does not exist yet,
 * returns the other paths that it would have.
 *
 * @param path Path of the file, without symbolic links.
 * @param root Path of a directory, without symbolic links.
 */
export async function aliasesWithin(root: string, path: string, mounts: readonly Mount[]): Promise<string[]> {
  const own = mountOf(path, [...mounts]);
  if (own === undefined) return [];
  const inFileSystem = joined(own.root, relative(path, own.point));
  const top = mountOf(root, [...mounts]);
  const candidates = mounts
    .filter((mount) => mount === top || (mount.point !== root && isWithin(mount.point, root)))
    .filter((mount) => mount.fileSystem === own.fileSystem && isWithin(inFileSystem, mount.root))
    .map((mount) => joined(mount.point, relative(inFileSystem, mount.root)))
    .filter((candidate) => candidate !== path && isWithin(candidate, root));
  const aliases: string[] = [];
  for (const candidate of new Set(candidates)) {
    // Another mount might hide the file at this candidate. Then the candidate does not lead to the file.
    if (await isSame(candidate, path)) aliases.push(candidate);
  }
  return aliases;
}

function joined(directory: string, name: string): string {
  return name === "" ? directory : join(directory, name);
}

/**
 * Returns whether both paths lead to the same file. If both are missing, returns whether their parent
 * directories are the same.
 */
async function isSame(one: string, other: string): Promise<boolean> {
  const stat = (path: string) => Deno.lstat(path).catch(() => null);
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  if (a !== null && b !== null) return a.dev === b.dev && a.ino === b.ino;
  return a === null && b === null && one !== "/" && other !== "/" && isSame(parentOf(one), parentOf(other));
}
