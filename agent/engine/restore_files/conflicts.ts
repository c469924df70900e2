/** Finds conflicts of a restore into a directory that is not empty. */
import { join } from "node:path";
import { bytesOf } from "../archive/bytes.ts";
import type { Children } from "../programs/children.ts";
import { printable } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";
import { statNames } from "./names.ts";
import type { RestoreDirectory } from "./restore_directory.ts";

/** Conflicts of a restore. Names are byte strings relative to the restore directory. */
export interface Conflicts {
  /** Names that exist already and that the restore would replace. */
  replaced: string[];
  /** The names in `replaced` that are directories in the backup. */
  obstructing: string[];
  /**
   * Names that exist in the restore directory as directories, and in the backup as something else. A restore
   * never removes these directories.
   */
  blocking: string[];
  /**
   * Names of directories that are both in the restore directory and in the backup. In these directories, a
   * restore keeps everything that is not in the backup.
   */
  standing: string[];
}

/**
 * Returns the conflicts of a restore into `directory`; none if the directory does not exist.
 *
 * @param directories File with the names of the backup's directories, each ended by NUL.
 * @param others File with the names of all other members, in the same format.
 */
export async function findConflicts(
  directory: RestoreDirectory,
  directories: string,
  others: string,
  children: Children,
): Promise<Conflicts> {
  if (directory.state === "missing") return noConflicts();
  const conflicts = noConflicts();
  for (const [type, name] of await statNames(directory.path, directories, "%F", children)) {
    if (type === "directory") {
      conflicts.standing.push(name);
      continue;
    }
    conflicts.replaced.push(name);
    conflicts.obstructing.push(name);
  }
  for (const [type, name] of await statNames(directory.path, others, "%F", children)) {
    (type === "directory" ? conflicts.blocking : conflicts.replaced).push(name);
  }
  return conflicts;
}

export function noConflicts(): Conflicts {
  return { replaced: [], obstructing: [], blocking: [], standing: [] };
}

/**
 * Rejects if the restore would replace a directory. Without `overwrite`, rejects if the restore would replace
 * anything.
 */
export function refuseConflicts(
  { replaced, blocking }: Conflicts,
  directory: RestoreDirectory,
  overwrite: boolean,
): void {
  const named = (name: string) => join(directory.path, printable(bytesOf(name)));
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
