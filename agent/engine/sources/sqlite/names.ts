/** Names of files and directories that restores, drills and backups make. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { databaseInfix } from "../../manifest/object_name.ts";

/** Start of the names beside a database that restores give. */
export const STAGING_PREFIX = ".rearguard-sqlite-";

/** Longest infix of an object's name that is used without its digest, in bytes. */
const MAX_INFIX = 100;

/** Returns the directory for a private copy: below `TMPDIR` of the agent, or `/var/tmp`. */
export function scratchDirectory(): string {
  return join(scratchRoot(), `rearguard-sqlite-${crypto.randomUUID()}`);
}

/** Returns the directory below which copies are made. */
export function scratchRoot(): string {
  return Deno.env.get("TMPDIR") || "/var/tmp";
}

/** Encodes as many characters of a name as fit. */
function shortened(name: string): string {
  let infix = "";
  for (const character of name) {
    const longer = infix + databaseInfix(character);
    if (longer.length > MAX_INFIX) break;
    infix = longer;
  }
  return infix;
}

/**
 * Returns the part of each object's name that names its database: the file's name, with a digest of the path
 * if it is long or not the only one.
 */
export function infixes(paths: readonly string[]): string[] {
  const names = paths.map((path) => databaseInfix(basename(path)));
  return names.map((name, index) => {
    const isShort = name.length <= MAX_INFIX;
    if (isShort && names.indexOf(name) === names.lastIndexOf(name)) return name;
    return `${shortened(basename(paths[index]!))}~${
      createHash("sha256").update(paths[index]!).digest("hex").slice(0, 8)
    }`;
  });
}
