/** Finds conflicts of a restore into a directory that is not empty. */
import { join } from "node:path";
import type { Obstacle } from "../../../src/protocol/restore_preview.ts";
import { bytesOf } from "../archive/bytes.ts";
import type { Children } from "../programs/children.ts";
import { printable } from "../programs/line.ts";
import { refusing } from "../obstacles.ts";
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
 * Returns the conflicts that make the restore fail. A directory in `blocking` always makes the restore fail.
 * A name in `replaced` makes it fail only without `overwrite`.
 */
export function obstaclesOf(
  { replaced, blocking }: Conflicts,
  directory: RestoreDirectory,
  overwrite: boolean,
): { blocking: Obstacle[]; replaced: Obstacle[] } {
  const path = (name: string) => join(directory.path, printable(bytesOf(name)));
  return {
    blocking: blocking.map((name) => ({
      path: path(name),
      problem: "is a directory, and the backup has no directory there",
      solution: "Move it away, or restore elsewhere.",
    })),
    replaced: overwrite ? [] : replaced.map((name) => ({
      path: path(name),
      problem: "is there already",
      solution: "Set overwrite to replace, or restore elsewhere.",
    })),
  };
}

/** Rejects if the conflicts fail the restore; see {@link obstaclesOf}. */
export function refuseConflicts(conflicts: Conflicts, directory: RestoreDirectory, overwrite: boolean): void {
  const { blocking, replaced } = obstaclesOf(conflicts, directory, overwrite);
  refusing.report(blocking);
  refusing.report(replaced, "are there already");
}
