/** Fills the staging directory of a restore with all members or with selected members of an archive. */
import type { StoredObject } from "../../../src/protocol/job.ts";
import { capture } from "../programs/capture.ts";
import { RunFailedError } from "../ports.ts";
import type { Children } from "../programs/children.ts";
import type { RestoreContext } from "../restore_context.ts";
import type { NameLists } from "./name_lists.ts";
import { joinNames, overNames, statNames } from "./names.ts";
import type { Staging } from "./restore_directory.ts";
import type { Unpacked } from "./publish.ts";
import { directoriesAbove, type RestoreScope, type Selection } from "./selection.ts";
import { setsBothTimesOnly } from "./times.ts";
import { type Skipped, unpackSelection, unpackWhole } from "./unpack.ts";
import { FoldedWarnings } from "./unpack_messages.ts";

export interface UnpackRequest {
  scope: RestoreScope;
  /** Whether the backup contains the source's root directory as a member. */
  isRooted: boolean;
  staging: Staging;
  lists: NameLists;
}

export interface UnpackedScope extends Unpacked {
  /** Number of members that could not be unpacked. */
  skipped: number;
  warnings: FoldedWarnings;
  /** Whether tar might have set wrong times. If so, the times must be set again. */
  mustSetTimes: boolean;
}

/** Unpacks the members of the scope into the staging directory. Resolves with the unpacked contents. */
export async function unpackScope(
  archive: StoredObject,
  { scope, isRooted, staging, lists }: UnpackRequest,
  context: RestoreContext,
): Promise<UnpackedScope> {
  const { children, ports } = context;
  const warnings = new FoldedWarnings(ports.output);
  const setsBothTimes = await setsBothTimesOnly(staging.path, children);
  let skipped: Skipped;
  let roots: string[] | null;
  switch (scope.kind) {
    case "whole":
      skipped = await unpackWhole(archive, staging.path, context, warnings);
      if (!isRooted) await lists.find(staging.path, children);
      roots = isRooted ? null : await lists.readOthers();
      break;
    case "selection":
      skipped = await unpackSelection(archive, scope, staging.path, context, warnings);
      await removeExtras(staging.path, scope, context);
      if (skipped.count > 0) await lists.keepExisting(staging.path, children);
      await checkSelection(staging.path, lists, scope, skipped, context);
      roots = scope.roots;
  }
  const there = roots === null || skipped.count === 0
    ? roots
    : await existingNames(staging.path, roots, `${ports.workDirectory}/batch`, children);
  return {
    staging: staging.path,
    isRooted,
    roots: there,
    lists,
    skipped: skipped.count,
    warnings,
    mustSetTimes: setsBothTimes || skipped.copiedCount > 0,
  };
}

async function existingNames(directory: string, names: readonly string[], list: string, children: Children) {
  await Deno.writeFile(list, joinNames(names));
  return (await statNames(directory, list, "%F", children)).map(([, name]) => name);
}

/**
 * Removes the files that were unpacked only because chosen hard links refer to them. Also removes the
 * directories that were created for these files alone.
 */
async function removeExtras(
  directory: string,
  { extras, directories, roots }: Selection,
  { children }: RestoreContext,
): Promise<void> {
  if (extras.length === 0) return;
  await overNames(directory, ["rm", "--force", "--"], extras, children);
  const wanted = new Set([...directories, ...roots.flatMap(directoriesAbove)]);
  const needless = [...new Set(extras.flatMap(directoriesAbove))].filter((name) => !wanted.has(name))
    .sort((a, b) => b.length - a.length);
  await overNames(directory, ["rmdir", "--"], needless, children);
}

/**
 * Rejects if the unpacked files do not match the index. The check is needed because the archive's SHA-256 was
 * not verified if only parts of the archive were read. The index's SHA-256 was verified.
 */
async function checkSelection(
  directory: string,
  lists: NameLists,
  { directories, others }: Selection,
  skipped: Skipped,
  { children }: RestoreContext,
): Promise<void> {
  const { stdout } = await capture(children, {
    program: "find",
    args: [directory, "-mindepth", "1", "-not", "-type", "d", "-printf", "."],
  });
  const there = skipped.count === 0 ? others.length : (await lists.readOthers()).length;
  if (stdout.length !== there || there + skipped.count < others.length) {
    throw new RunFailedError(
      `its archive does not match its index: ${stdout.length} of ${others.length} files were unpacked`,
    );
  }
  if (skipped.count > 0) return;
  await overNames(directory, ["stat", "--printf=", "--"], [...directories, ...others], children);
}
