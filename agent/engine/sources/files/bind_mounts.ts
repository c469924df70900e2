/** Finds bind mounts: further paths of the same file or directory. */
import { isWithin, type Mount, mountOf } from "../../mounts.ts";
import { join, parentOf, relative } from "./path_text.ts";

/**
 * Returns the other paths within `root` of the file at `path`. A file that does not exist yet has the aliases
 * of its directory.
 *
 * @param path Real path.
 * @param root Real path of a directory.
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
    // Another mount may hide the path.
    if (await isSame(candidate, path)) aliases.push(candidate);
  }
  return aliases;
}

function joined(directory: string, name: string): string {
  return name === "" ? directory : join(directory, name);
}

/** Whether both paths lead to the same file. If both are missing, whether their directories are the same. */
async function isSame(one: string, other: string): Promise<boolean> {
  const stat = (path: string) => Deno.lstat(path).catch(() => null);
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  if (a !== null && b !== null) return a.dev === b.dev && a.ino === b.ino;
  return a === null && b === null && one !== "/" && other !== "/" && isSame(parentOf(one), parentOf(other));
}
