/**
 * Splits a restore by file system, because files can be linked or renamed only within one file system. A
 * mount or subvolume below the restore directory gets its own staging directory. The restore is split before
 * anything is published.
 */
import { byteString, textOf } from "../archive/bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { readMounts } from "../mounts.ts";
import { removeTree } from "../remove_tree.ts";
import { type Output, RunFailedError, type RunPorts } from "../ports.ts";
import { ENDS_WITH_AGENT, ENDS_WITH_PARENT, joinNames, readNames, statNames } from "./names.ts";
import type { NameLists } from "./name_lists.ts";
import { replacedPath } from "./restore_directory.ts";
import { parentOf } from "./selection.ts";

/**
 * A part of the restore directory that is on one file system, with a staging directory on the same file
 * system. Names are relative to `base`.
 */
export interface Stage {
  base: string;
  staging: string;
  /**
   * Directory that keeps the replaced files until the restore is done. The field keeps this name because
   * stored undo plans contain it.
   */
  aside: string;
  /**
   * Paths of two files that list names of unpacked members. The file `directories` lists the directories. The
   * file `others` lists all other members.
   */
  directories: string;
  others: string;
  /** Path of the file with the names of replaced files. */
  replaced: string;
}

export interface Split {
  directory: string;
  staging: string;
  lists: NameLists;
  /** Names of the backup's directories that already exist in the restore directory. */
  standing: ReadonlySet<string>;
  replaced: readonly string[];
  workDirectory: string;
}

/**
 * Splits the unpacked files into stages, by the file system on which the files will be published. The stage
 * of the restore directory itself comes first.
 */
export async function makeStages(
  split: Split,
  ports: Pick<RunPorts, "clock" | "scratch" | "output">,
  children: Children,
): Promise<Stage[]> {
  const { directory, staging, lists, workDirectory } = split;
  const replaced = `${workDirectory}/replaced`;
  await Deno.writeFile(replaced, joinNames(split.replaced));
  const first = {
    base: directory,
    staging,
    aside: replacedPath(staging),
    directories: lists.directories,
    others: lists.others,
    replaced,
  };
  const regions = await findRegions(directory, split.standing, `${workDirectory}/batch`, children);
  if (regions.length === 0) return [first];
  const regionOf = (name: string) => regions.find((region) => name.startsWith(`${region}/`)) ?? "";
  const others = await divide(readNames(lists.others), regionOf);
  const displaced = await divide(chunksOf(split.replaced), regionOf);
  const added = await divide(readNames(lists.directories), regionOf);
  const stages: Stage[] = [];
  try {
    // A region is a directory that is on another file system than its parent directory. Regions can contain
    // regions. Each step moves all of a region's files out of the staging directory, so the inner regions
    // must come before the outer ones.
    for (const [index, region] of [...regions, ""].entries()) {
      const names = {
        directories: added.get(region) ?? [],
        others: others.get(region) ?? [],
        replaced: displaced.get(region) ?? [],
      };
      if (region !== "" && names.directories.length + names.others.length === 0) continue;
      const stage = stageOf(split, region, index);
      stages.push(stage);
      for (const [list, listed] of Object.entries(names)) {
        await Deno.writeFile(stage[list as keyof typeof names], joinNames(listed));
      }
      if (region !== "") await moveContents(`${staging}/${textOf(region)}`, stage.staging, ports, children);
    }
  } catch (error) {
    for (const stage of stages) if (stage.staging !== staging) await removeTree(stage.staging, ports.clock);
    throw error;
  }
  // Put the stage of the restore directory itself first, because `cleanUp` resets the modification time of
  // the first stage.
  return stages.reverse();
}

function stageOf({ directory, staging, workDirectory }: Split, region: string, index: number): Stage {
  const base = region === "" ? directory : `${directory === "/" ? "" : directory}/${textOf(region)}`;
  const at = region === "" ? staging : `${base}/${staging.slice(staging.lastIndexOf("/") + 1)}`;
  return {
    base,
    staging: at,
    aside: replacedPath(at),
    directories: `${workDirectory}/directories-${index}`,
    others: `${workDirectory}/others-${index}`,
    replaced: `${workDirectory}/replaced-${index}`,
  };
}

/**
 * Returns what the restore adds to existing directories: single files, and new directories with all their
 * contents. Names are relative to the stage's base.
 */
export async function entriesOf(
  { directories, others }: Pick<Stage, "directories" | "others">,
  isStanding: (name: string) => boolean,
): Promise<{ files: string[]; directories: string[] }> {
  const files: string[] = [];
  const made = new Set<string>();
  for await (const names of readNames(others)) {
    for (const name of names) {
      const top = topOf(name, isStanding);
      if (top === name) files.push(name);
      else made.add(top);
    }
  }
  for await (const names of readNames(directories)) {
    for (const name of names) if (!isStanding(name)) made.add(topOf(name, isStanding));
  }
  return { files, directories: [...made] };
}

/** Returns the topmost path that does not exist yet: the name itself or a directory above it. */
function topOf(name: string, isStanding: (name: string) => boolean): string {
  let top = name;
  for (let at = parentOf(name); at !== "" && !isStanding(at); at = parentOf(at)) top = at;
  return top;
}

/**
 * Returns each directory that is on another file system than the directory above it. Deeper directories come
 * first.
 */
async function findRegions(
  directory: string,
  standing: ReadonlySet<string>,
  list: string,
  children: Children,
): Promise<string[]> {
  if (standing.size === 0) return [];
  const { mounts } = await readMounts();
  const points = new Set(mounts.map(({ point }) => byteString(point)));
  await Deno.writeFile(list, joinNames([...standing]));
  const devices = new Map((await statNames(directory, list, "%d", children)).map(([id, name]) => [name, id]));
  devices.set("", String((await Deno.stat(directory)).dev));
  const prefix = directory === "/" ? "/" : `${byteString(directory)}/`;
  const isRegion = (name: string) =>
    points.has(prefix + name) || devices.get(name) !== devices.get(parentOf(name));
  return [...standing].filter((name) => devices.has(name) && isRegion(name))
    .sort((a, b) => b.length - a.length);
}

async function divide(
  chunks: AsyncIterable<readonly string[]>,
  regionOf: (name: string) => string,
): Promise<Map<string, string[]>> {
  const divided = new Map<string, string[]>();
  for await (const names of chunks) {
    for (const name of names) {
      const region = regionOf(name);
      const own = region === "" ? name : name.slice(region.length + 1);
      const there = divided.get(region);
      if (there === undefined) divided.set(region, [own]);
      else there.push(own);
    }
  }
  return divided;
}

async function* chunksOf(names: readonly string[]): AsyncGenerator<readonly string[]> {
  yield names;
}

async function moveContents(
  from: string,
  to: string,
  { scratch, output }: { scratch: RunPorts["scratch"]; output: Output },
  children: Children,
): Promise<void> {
  await scratch(to);
  await Deno.mkdir(to, { mode: 0o700 });
  const { exit, messages } = await capture(children, {
    program: "find",
    args: [
      from,
      "-mindepth",
      "1",
      "-maxdepth",
      "1",
      "-exec",
      ...ENDS_WITH_PARENT,
      "mv",
      "-f",
      "-t",
      to,
      "--",
      "{}",
      "+",
    ],
    redirects: ENDS_WITH_AGENT,
  });
  if (exit.code === 0) return messages.forEach((line) => output.warning(line));
  const room = messages.find((line) => /No space left on device|Disk quota exceeded/.test(line));
  throw new RunFailedError(
    room === undefined
      ? messages[0] ?? `the unpacked files can't be moved to ${to}`
      : `there is no room for it in ${to.slice(0, to.lastIndexOf("/"))}. Free some, or restore elsewhere.`,
  );
}
