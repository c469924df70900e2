/**
 * Undoes a restore that failed while it published its files. Removes the published files, puts replaced files
 * back, and gives existing directories their former owners, modes, times and attributes.
 *
 * The plan for this is written to the run's work directory before anything is changed. If the agent is
 * killed, the next agent carries out the plan.
 */
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Clock } from "../../../src/domain/clock.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { removeTree } from "../remove_tree.ts";
import { applyAttributes } from "./attributes.ts";
import { linkOrMove } from "./move.ts";
import { joinNames, overNames, readNames, statNames } from "./names.ts";
import { copyTime, timeFile } from "./restore_directory.ts";
import type { Stage } from "./stages.ts";

const StageOfPlan = z.object({
  base: z.string(),
  staging: z.string(),
  aside: z.string(),
  directories: z.string(),
  others: z.string(),
  replaced: z.string(),
});

const Plan = z.object({
  place: z.string(),
  stages: z.array(StageOfPlan),
  /**
   * Whether the published files are removed already. If so, the files that exist now were there before the
   * restore.
   */
  is_cleared: z.boolean(),
});
type Plan = z.infer<typeof Plan>;

/** The plan of earlier agent versions. Those versions supported only one file system. */
const SinglePlan = z.object({ place: z.string(), staging: z.string(), aside: z.string() });

export const undoFiles = (work: string) => ({
  plan: join(work, "undo.json"),
  directories: join(work, "directories"),
  others: join(work, "others"),
  above: join(work, "above"),
  standing: join(work, "standing"),
  replaced: join(work, "replaced"),
  missing: join(work, "missing"),
  attributes: join(work, "standing.tar.zst"),
  batch: join(work, "batch"),
});
type Files = ReturnType<typeof undoFiles>;

/** Writes the plan. The lists and attributes that the plan refers to must already be written. */
export function planUndo(work: string, directory: string, stages: readonly Stage[]): Promise<void> {
  return writePlan(undoFiles(work), { place: directory, stages: [...stages], is_cleared: false });
}

/** Removes the plan, so that the restore can no longer be undone. */
export async function forgetUndo(work: string): Promise<void> {
  await Deno.remove(undoFiles(work).plan);
}

/**
 * Carries out the plan that {@link planUndo} wrote. Resolves with the path of the restore directory; null if
 * there is no plan. If the undo fails, rejects with a `RunFailedError` that says where the replaced files are
 * kept.
 */
export async function undo(work: string, children: Children, clock: Clock): Promise<string | null> {
  const files = undoFiles(work);
  const plan = await readPlan(files);
  if (plan === null) return null;
  const { place: directory, stages } = plan;
  try {
    if (!plan.is_cleared) {
      await makeDirectoriesWritable(directory, files, children);
      for (const stage of stages) await removePlaced(stage, files, children);
      await removeDirectories(directory, files, children);
      // The published files are gone. Record this before the replaced files are put back under the same
      // names. Otherwise a second undo would remove the replaced files.
      await writePlan(files, { ...plan, is_cleared: true });
    }
    for (const stage of stages) await putBack(stage, files, children);
    for (const { aside, staging } of stages) {
      await removeTree(aside, clock);
      await removeTree(staging, clock);
    }
    await applyAttributes(directory, files.attributes, children);
    // Ignore a failure: another user might own the directory, and only its owner is allowed to set its time.
    await copyTime(timeFile(work), dirname(stages[0]!.staging), children).catch(() => {});
  } catch (cause) {
    const kept = stages.map(({ aside }) => aside).join(", ");
    throw new RunFailedError(
      `The restore into ${directory} could not all be undone (${
        (cause as Error).message
      }): replaced files are kept in ${kept}`,
      { cause },
    );
  }
  await Deno.remove(files.plan);
  return directory;
}

/**
 * Removes the files that the restore has published. A file counts as published in two cases:
 * - The file with its name in the staging directory has the same inode.
 * - The staging directory no longer has a file with its name.
 *
 * All other files stay, because another program might have created them under these names meanwhile.
 */
async function removePlaced({ base, staging, others }: Stage, files: Files, children: Children) {
  for await (const names of readNames(others)) {
    await Deno.writeFile(files.batch, joinNames(names));
    const found = await statNames(base, files.batch, "%d:%i", children);
    const unpacked = new Map(
      (await statNames(staging, files.batch, "%d:%i", children)).map(([id, name]) => [name, id]),
    );
    const published = found.filter(([id, name]) => (unpacked.get(name) ?? id) === id).map(([, name]) => name);
    await overNames(base, ["rm", "--force", "--"], published, children);
  }
}

/**
 * Makes directories writable, so that their contents can be removed. The undo restores the directories' modes
 * when it ends.
 */
async function makeDirectoriesWritable(directory: string, files: Files, children: Children): Promise<void> {
  if (Deno.uid() === 0) return;
  for (const list of [files.above, files.directories, files.standing]) {
    for await (const names of readNames(list)) {
      // Ignore failures: the agent cannot change the modes of other users' directories.
      await overNames(directory, ["chmod", "u+rwx", "--"], names, children).catch(() => {});
    }
  }
}

/** Removes the directories that the restore created, if they are empty. */
async function removeDirectories(directory: string, files: Files, children: Children): Promise<void> {
  const standing = new Set<string>();
  for await (const names of readNames(files.standing)) for (const name of names) standing.add(name);
  const made: string[] = [];
  for (const list of [files.above, files.directories]) {
    for await (const names of readNames(list)) made.push(...names.filter((name) => !standing.has(name)));
  }
  await Deno.writeFile(files.batch, joinNames(made));
  const there = (await statNames(directory, files.batch, "%F", children)).filter(([type]) =>
    type === "directory"
  );
  const deepestFirst = there.map(([, name]) => name).sort((a, b) => b.length - a.length);
  await overNames(directory, ["rmdir", "--ignore-fail-on-non-empty", "--"], deepestFirst, children);
}

async function putBack({ base, aside, replaced }: Stage, files: Files, children: Children): Promise<void> {
  const kept = await statNames(aside, replaced, "%F", children);
  await linkOrMove(aside, base, kept.map(([, name]) => name), files.batch, children);
}

async function writePlan({ plan }: Files, content: Plan): Promise<void> {
  await Deno.writeTextFile(`${plan}.new`, JSON.stringify(content));
  using file = await Deno.open(`${plan}.new`);
  await file.syncData();
  await Deno.rename(`${plan}.new`, plan);
}

async function readPlan(files: Files): Promise<Plan | null> {
  const text = await Deno.readTextFile(files.plan).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (text === undefined) return null;
  const content = JSON.parse(text);
  const single = SinglePlan.safeParse(content).data;
  if (single === undefined) return Plan.parse(content);
  const { directories, others, replaced } = files;
  const stage = { base: single.place, directories, others, replaced, ...single };
  return { place: single.place, stages: [stage], is_cleared: false };
}
