/** Finds the databases that a task names by paths and patterns. */
import { join } from "node:path";
import type { Missing } from "../../../../src/protocol/job.ts";
import { globSource, hasWildcards } from "../files/exclusion_rules.ts";
import { COMPANIONS } from "./holders.ts";
import { STAGING_PREFIX } from "./names.ts";

export interface FoundDatabases {
  readonly paths: string[];
  readonly missing: Missing[];
  /** Lines for the output about files that are left out because another path leads to the same file. */
  readonly notes: string[];
}

/**
 * Returns the files that the names match. A name that is the path of an existing file is taken literally. In
 * any other name, `*`, `?` and `[…]` match characters other than `/`. They never match a dot at the start of
 * a file or directory name. If a file is found under several paths, the first path is used.
 */
export async function findDatabases(names: readonly string[]): Promise<FoundDatabases> {
  const found: FoundDatabases = { paths: [], missing: [], notes: [] };
  const seen = new Map<string, string>();
  for (const name of names) {
    const isNamed = await exists(name);
    const paths = isNamed || !hasWildcards(name) ? [name] : await matching(name);
    if (paths.length === 0) leaveOut(found, name, "no file matches it. Check the task's database_name");
    for (const path of paths) {
      const fault = await faultOf(path);
      if (fault !== null) {
        leaveOut(found, path, fault);
        continue;
      }
      const real = await Deno.realPath(path);
      const other = seen.get(real);
      if (other === undefined) found.paths.push(path);
      else found.notes.push(`Left out, as it is the same file as ${other}: ${path}`);
      seen.set(real, other ?? path);
    }
  }
  return found;
}

function leaveOut({ missing }: FoundDatabases, name: string, reason: string): void {
  missing.push({ name, reason: `Cannot back up database ${name}: ${reason}` });
}

/** Returns why a path cannot be backed up as a database; null if it can be backed up. */
async function faultOf(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) return "it is not a regular file";
    const log = await Deno.stat(`${path}-wal`).catch(() => null);
    return size === 0 && (log?.size ?? 0) === 0 ? "it is empty (0 bytes), so it holds no database" : null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return (error as Error).message;
    return path.includes("\ufffd")
      ? "its name is no UTF-8 text. Rename it"
      : "no such file. Check the task's database_name";
  }
}

/**
 * Returns the paths that match a pattern, without directories and without the files in {@link COMPANIONS}.
 */
async function matching(pattern: string): Promise<string[]> {
  let paths = ["/"];
  for (const name of pattern.split("/").filter((each) => each !== "")) {
    const next = await Promise.all(paths.map((directory) => namesIn(directory, name)));
    paths = next.flatMap((names, index) => names.map((each) => join(paths[index]!, each)));
  }
  const isOwn = (path: string) =>
    COMPANIONS.some((end) => path.endsWith(end)) || path.includes(STAGING_PREFIX);
  const files: string[] = [];
  for (const path of paths.sort()) {
    const info = await Deno.stat(path).catch(() => null);
    if (!isOwn(path) && (info === null || info.isFile)) files.push(path);
  }
  return files;
}

async function namesIn(directory: string, name: string): Promise<string[]> {
  if (!hasWildcards(name) || await exists(join(directory, name))) return [name];
  const expression = new RegExp(`^${name.startsWith(".") ? "" : "(?!\\.)"}${globSource(name)}$`, "su");
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name)
      .filter((each) => expression.test(each));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}
