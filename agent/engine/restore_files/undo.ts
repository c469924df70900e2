/**
 * Undoes a restore that did not get all of its files into their place: takes away what it put there, puts
 * back what it replaced, and gives directories that were there their owners, modes, times and attributes. The
 * plan is written before anything is touched, in the run's own directory, so that the next agent can carry it
 * out where one was killed.
 */
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Clock } from "../../../src/domain/clock.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { removeTree } from "../remove_tree.ts";
import { giveAttributes } from "./attributes.ts";
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
  /** True once the restored files are removed: what lies in the place now was there before. */
  is_cleared: z.boolean(),
});
type Plan = z.infer<typeof Plan>;

/** Plans of agents that knew one file system only. */
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

/** Writes the plan. Its lists and attributes must be there. */
export function planUndo(work: string, place: string, stages: readonly Stage[]): Promise<void> {
  return writePlan(undoFiles(work), { place, stages: [...stages], is_cleared: false });
}

/** From here on nothing is undone any more. */
export async function forgetUndo(work: string): Promise<void> {
  await Deno.remove(undoFiles(work).plan);
}

/**
 * Undoes what was begun. Resolves with the place's path, null where there was nothing to be undone. Rejects
 * with a `RunFailedError` that says where the replaced files are kept.
 */
export async function undo(work: string, children: Children, clock: Clock): Promise<string | null> {
  const files = undoFiles(work);
  const plan = await readPlan(files);
  if (plan === null) return null;
  const { place, stages } = plan;
  try {
    if (!plan.is_cleared) {
      await openDirectories(place, files, children);
      for (const stage of stages) await removePlaced(stage, files, children);
      await removeDirectories(place, files, children);
      // The replaced files come back under the same names. A second undo must not remove them.
      await writePlan(files, { ...plan, is_cleared: true });
    }
    for (const stage of stages) await putBack(stage, files, children);
    for (const { aside, staging } of stages) {
      await removeTree(aside, clock);
      await removeTree(staging, clock);
    }
    await giveAttributes(place, files.attributes, children);
    // The directory above may be somebody else's, whose time only the owner may set.
    await copyTime(timeFile(work), dirname(stages[0]!.staging), children).catch(() => {});
  } catch (cause) {
    const kept = stages.map(({ aside }) => aside).join(", ");
    throw new RunFailedError(
      `What was begun in ${place} could not all be undone (${
        (cause as Error).message
      }): what was replaced is kept in ${kept}`,
      { cause },
    );
  }
  await Deno.remove(files.plan);
  return place;
}

/**
 * Only what the restore has put there: the very file that was unpacked, or one that is gone from the staging
 * directory. Another may have taken the name meanwhile.
 */
async function removePlaced({ base, staging, others }: Stage, files: Files, children: Children) {
  for await (const names of readNames(others)) {
    await Deno.writeFile(files.batch, joinNames(names));
    const found = await statNames(base, files.batch, "%d:%i", children);
    const unpacked = new Map(
      (await statNames(staging, files.batch, "%d:%i", children)).map(([id, name]) => [name, id]),
    );
    const ours = found.filter(([id, name]) => (unpacked.get(name) ?? id) === id).map(([, name]) => name);
    await overNames(base, ["rm", "--force", "--"], ours, children);
  }
}

/**
 * Without the right to write to a directory, what is in it can't be removed. Their modes come back at the
 * end.
 */
async function openDirectories(place: string, files: Files, children: Children): Promise<void> {
  if (Deno.uid() === 0) return;
  for (const list of [files.above, files.directories, files.standing]) {
    for await (const names of readNames(list)) {
      // The agent can't open directories of other users.
      await overNames(place, ["chmod", "u+rwx", "--"], names, children).catch(() => {});
    }
  }
}

/** Those that were not there before. */
async function removeDirectories(place: string, files: Files, children: Children): Promise<void> {
  const standing = new Set<string>();
  for await (const names of readNames(files.standing)) for (const name of names) standing.add(name);
  const made: string[] = [];
  for (const list of [files.above, files.directories]) {
    for await (const names of readNames(list)) made.push(...names.filter((name) => !standing.has(name)));
  }
  await Deno.writeFile(files.batch, joinNames(made));
  const there = (await statNames(place, files.batch, "%F", children)).filter(([type]) =>
    type === "directory"
  );
  const deepestFirst = there.map(([, name]) => name).sort((a, b) => b.length - a.length);
  await overNames(place, ["rmdir", "--ignore-fail-on-non-empty", "--"], deepestFirst, children);
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
