/**
 * The way back of a restore that did not get all of its files into their place: what it put there is taken away, what it replaced comes back,
 * and directories that were there have the owners, modes, times and attributes that they had. It is written down before anything is touched,
 * in the run's own directory, so that the next agent can go it where one was killed.
 */
import { dirname, join } from "node:path";
import * as z from "zod";
import { latin1 } from "../bytes.ts";
import type { Children } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import { giveAttributes, saveAttributes } from "./attributes.ts";
import { joinNames, overNames, statNames } from "./names.ts";
import type { NameLists } from "./name_lists.ts";
import { copyTime, timeFile } from "./place.ts";
import { directoriesAbove } from "./selection.ts";

const Plan = z.object({
  place: z.string(),
  staging: z.string(),
  aside: z.string(),
});
type Plan = z.infer<typeof Plan>;

export interface Publishing extends Plan {
  /** Of everything that is put into the place. */
  readonly lists: NameLists;
  /** What was asked for; null for everything. Directories above them are made where they are missing. */
  readonly roots: readonly string[] | null;
  /** What was there before: non-directories that are replaced, and directories. */
  readonly replaced: readonly string[];
  readonly standing: readonly string[];
}

/** How many names are looked at at once. */
const BATCH = 10_000;

const filesOf = (work: string) => ({
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

/**
 * Writes down how `publishing` is undone. Resolves with files of names: of the directories that it is to make or to give other attributes.
 *
 * @param work The run's own directory, where its name lists are.
 */
export async function prepareUndo(
  work: string,
  publishing: Publishing,
  children: Children,
): Promise<string[]> {
  const { place, staging, aside, lists, roots, replaced, standing } = publishing;
  const files = filesOf(work);
  if (!lists.areThere) await lists.find(staging, children);
  const above = [...new Set((roots ?? []).flatMap(directoriesAbove))];
  await Deno.writeFile(files.above, joinNames(above));
  await Deno.writeFile(files.replaced, joinNames(replaced));
  const there = new Set((await statNames(place, files.above, "%F", children)).map(([, name]) => name));
  await Deno.writeFile(files.standing, joinNames([...standing, ...there]));
  await Deno.writeFile(files.missing, joinNames(above.filter((name) => !there.has(name))));
  await saveAttributes(place, [files.standing], true, files.attributes, children);
  await Deno.writeTextFile(`${files.plan}.new`, JSON.stringify({ place, staging, aside } satisfies Plan));
  await Deno.rename(`${files.plan}.new`, files.plan);
  return [lists.directories, files.missing];
}

/** From here on nothing is undone any more. */
export async function forgetUndo(work: string): Promise<void> {
  await Deno.remove(filesOf(work).plan);
}

/**
 * Undoes what was begun. Resolves with the place's path, null where there was nothing to be undone. Rejects with a `RunFailedError` that says
 * where the replaced files are kept.
 */
export async function undo(work: string, children: Children): Promise<string | null> {
  const files = filesOf(work);
  const plan = await readPlan(files.plan);
  if (plan === null) return null;
  const { place, staging, aside } = plan;
  try {
    await removeLinks(plan, files, children);
    await removeDirectories(place, files, children);
    const kept = await statNames(aside, files.replaced, "%F", children);
    const put = ["cp", "--archive", "--link", "--parents", "--remove-destination", "-t", place, "--"];
    await overNames(aside, put, kept.map(([, name]) => name), children);
    await Deno.remove(aside, { recursive: true }).catch(ignoreMissing);
    await Deno.remove(staging, { recursive: true }).catch(ignoreMissing);
    await giveAttributes(place, files.attributes, children);
    await copyTime(timeFile(work), dirname(staging), children);
  } catch (cause) {
    throw new RunFailedError(
      `What was begun in ${place} could not all be undone (${
        (cause as Error).message
      }): what was replaced is kept in ${aside}`,
      { cause },
    );
  }
  await Deno.remove(files.plan);
  return place;
}

type Files = ReturnType<typeof filesOf>;

/** Only what is the very file that was unpacked: another may have taken the name meanwhile. */
async function removeLinks({ place, staging }: Plan, files: Files, children: Children): Promise<void> {
  for await (const names of batches(files.others)) {
    await Deno.writeFile(files.batch, joinNames(names));
    const found = await statNames(place, files.batch, "%d:%i", children);
    const unpacked = new Map(
      (await statNames(staging, files.batch, "%d:%i", children)).map(([id, name]) => [name, id]),
    );
    const ours = found.filter(([id, name]) => unpacked.get(name) === id).map(([, name]) => name);
    await overNames(place, ["rm", "--force", "--"], ours, children);
  }
}

/** Those that were not there before. */
async function removeDirectories(place: string, files: Files, children: Children): Promise<void> {
  const standing = new Set<string>();
  for await (const names of batches(files.standing)) for (const name of names) standing.add(name);
  const made: string[] = [];
  for (const list of [files.above, files.directories]) {
    for await (const names of batches(list)) made.push(...names.filter((name) => !standing.has(name)));
  }
  await Deno.writeFile(files.batch, joinNames(made));
  const there = (await statNames(place, files.batch, "%F", children)).filter(([type]) =>
    type === "directory"
  );
  const deepestFirst = there.map(([, name]) => name).sort((a, b) => b.length - a.length);
  await overNames(place, ["rmdir", "--ignore-fail-on-non-empty", "--"], deepestFirst, children);
}

async function* batches(list: string): AsyncGenerator<string[]> {
  let rest = "";
  let names: string[] = [];
  for await (const chunk of (await Deno.open(list)).readable) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    names.push(...entries.map((entry) => entry.slice("./".length)));
    if (names.length < BATCH) continue;
    yield names;
    names = [];
  }
  yield names;
}

async function readPlan(path: string): Promise<Plan | null> {
  const text = await Deno.readTextFile(path).catch(ignoreMissing);
  return text === undefined ? null : Plan.parse(JSON.parse(text));
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
