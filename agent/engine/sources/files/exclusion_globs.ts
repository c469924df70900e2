/** Converts the absolute globs in `excluded_paths` to patterns relative to the source's root. */
import { isWithin } from "../../mounts.ts";
import { globSource, hasWildcards, quotePattern } from "./exclusion_rules.ts";
import { join, namesOf, parentOf, relative } from "./path_text.ts";

/**
 * Converts an absolute glob to patterns relative to the source's root. Reads directories to match the part of
 * the glob that lies outside of the source. tar matches the rest. The list of patterns is empty if the glob
 * does not lead into the source.
 *
 * @param pathsWithin Takes a path without symbolic links. Returns the paths within the root that lead to it.
 */
export async function globsInside(
  path: string,
  root: string,
  pathsWithin: (real: string) => Promise<string[]>,
): Promise<string[] | "the source itself"> {
  const patterns = new Set<string>();
  let isRoot = false;
  const follow = async (directory: string, names: readonly string[]): Promise<void> => {
    const real = await Deno.realPath(directory).catch(() => null);
    if (real === null) return;
    const inside = await pathsWithin(real);
    for (const path of inside) {
      if (names.length === 0 && path === root) isRoot = true;
      const above = namesOf(relative(path, root)).map(quotePattern);
      patterns.add([...above, ...await quoteExisting(path, names, hasWildcards)].join("/"));
    }
    if (isWithin(real, root)) return;
    const [name, ...rest] = names;
    if (name === undefined) return;
    if (name === "**" && isWithin(root, real) && !await exists(join(real, name))) {
      patterns.add(["**", ...rest].join("/"));
      for (let at = root; isWithin(at, real); at = parentOf(at)) {
        await follow(at, rest);
        if (at === "/") break;
      }
      return;
    }
    for (const found of await namesMatching(real, name)) await follow(join(real, found), rest);
  };
  await follow("/", namesOf(path));
  return isRoot ? "the source itself" : [...patterns];
}

async function namesMatching(directory: string, name: string): Promise<string[]> {
  if (!hasWildcards(name) || await exists(join(directory, name))) return [name];
  const expression = new RegExp(`^${globSource(name)}$`, "su");
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (expression.test(entry.name)) found.push(entry.name);
    }
  } catch (error) {
    if (!isUnreadableError(error)) throw error;
  }
  return found;
}

/**
 * Quotes some of the names of a path below `directory`, and returns all names. Wildcards in a quoted name
 * match only themselves. A name is quoted if `mayBeMeant` returns true for it and a file of exactly this name
 * exists. If a file does not exist, its name and the following names are not quoted.
 */
export async function quoteExisting(
  directory: string,
  names: readonly string[],
  mayBeMeant: (name: string) => boolean,
): Promise<string[]> {
  const [name, ...rest] = names;
  if (name === undefined || !await exists(join(directory, name))) return [...names];
  const quoted = mayBeMeant(name) ? quotePattern(name) : name;
  return [quoted, ...await quoteExisting(join(directory, name), rest, mayBeMeant)];
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

function isUnreadableError(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied;
}
