/** Names the files and directories that backups, restores and drills of SQLite create. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { databaseInfix } from "../../manifest/object_name.ts";

/** Prefix of the files and directories that a restore creates in the database's directory. */
export const STAGING_PREFIX = ".rearguard-sqlite-";

/**
 * Maximum length in bytes of an infix, which is the text that stands for a database in object names. A longer
 * infix is shortened to this length, and then a digest is added.
 */
const MAX_INFIX = 100;

/**
 * Returns a new path for the directory of a private copy. The path is in the agent's `TMPDIR`; if that is not
 * set, it is in `/var/tmp`.
 */
export function scratchDirectory(): string {
  return join(scratchRoot(), `rearguard-sqlite-${crypto.randomUUID()}`);
}

/** Returns the directory in which the directories of copies are created. */
export function scratchRoot(): string {
  return Deno.env.get("TMPDIR") || "/var/tmp";
}

/** Shortens `name` and returns its infix. Keeps as many first characters as fit into {@link MAX_INFIX}. */
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
 * Returns a text for each database. The names of the backup's objects for this database contain the text.
 * Normally, the text is the name of the database's file. If this name is too long or occurs twice, the text
 * is as much of the name as fits, followed by a digest of the path.
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
