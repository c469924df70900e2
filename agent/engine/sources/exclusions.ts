/**
 * What tar leaves out of a directory: the task's patterns, and what the run itself writes there. Members are named
 * `./…` from the source's root, so absolute patterns are turned into anchored ones.
 */
import { RunFailedError } from "../ports.ts";
import { isWithin } from "../mounts.ts";

export interface ExclusionRequest {
  /** As the task names it, absolute. */
  sourcePath: string;
  patterns: string[];
  /** Directories that the run writes to: the destination where it is local, the work directory. */
  ownDirectories: string[];
  /** What the names of the task's objects start with. */
  objectPrefix: string;
}

export interface Exclusions {
  /** tar's options; each kind of pattern follows the options that say how it is matched. */
  arguments: string[];
  /** What is left out that nobody asked for, for the run's output. */
  notes: string[];
}

/** Resolves symbolic links, so that a directory is known by whatever name it is given. */
export async function planExclusions(request: ExclusionRequest): Promise<Exclusions> {
  const root = await Deno.realPath(request.sourcePath);
  const plan: Exclusions = { arguments: [], notes: [] };
  addPatterns(plan, request);
  for (const directory of request.ownDirectories) {
    const path = await resolve(directory);
    if (!isWithin(path, root)) continue;
    if (path === root) addOwnObjects(plan, request);
    else {
      plan.arguments.push("--anchored", "--no-wildcards", `--exclude=./${relative(path, root)}`);
      plan.notes.push(`Left out: ${path}, which this run writes to`);
    }
  }
  return plan;
}

function addPatterns(plan: Exclusions, { sourcePath, patterns }: ExclusionRequest): void {
  const base = trimSlashes(sourcePath);
  for (const given of patterns) {
    const pattern = trimSlashes(given);
    if (pattern === "" || pattern.includes("\0")) {
      throw new RunFailedError(`Cannot exclude ${JSON.stringify(given)}: it is not a pattern`);
    }
    if (!pattern.startsWith("/")) {
      plan.arguments.push("--no-anchored", "--wildcards", `--exclude=${pattern}`);
    } else if (pattern === base || pattern === "/") {
      throw new RunFailedError(
        `Cannot exclude ${given}: it is the source itself. Change the task's excluded_paths.`,
      );
    } else if (isWithin(pattern, base)) {
      plan.arguments.push("--anchored", "--wildcards", `--exclude=./${relative(pattern, base)}`);
    } else {
      plan.notes.push(`Excluded path ${given} is not in ${sourcePath}`);
    }
  }
}

/** The destination is the source's own root: all but the task's objects belongs to the backup. */
function addOwnObjects(plan: Exclusions, { objectPrefix }: ExclusionRequest): void {
  const prefix = quotePattern(objectPrefix);
  const suffixes = [".tar.zst", ".tar.zst.age", ".index.zst", ".index.zst.age", ".manifest.json"];
  const patterns = [...suffixes.map((suffix) => `./${prefix}_*${suffix}`), `./.${prefix}_*.partial`];
  plan.arguments.push("--anchored", "--wildcards", "--no-wildcards-match-slash");
  plan.arguments.push(...patterns.map((pattern) => `--exclude=${pattern}`), "--wildcards-match-slash");
  plan.notes.push("Left out: this task's own backups, which lie in the source");
}

/** A name that fnmatch(3) takes literally. */
export function quotePattern(name: string): string {
  return name.replace(/[\\*?[\]]/g, "\\$&");
}

/** The real path of a directory that may not be there yet, or never: the destination is the one to say so. */
async function resolve(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!isMissing || path === "/") throw error;
    const trimmed = trimSlashes(path);
    const cut = trimmed.lastIndexOf("/");
    const parent = await resolve(trimmed.slice(0, cut) || "/");
    return `${parent === "/" ? "" : parent}/${trimmed.slice(cut + 1)}`;
  }
}

function relative(path: string, root: string): string {
  return root === "/" ? path.slice(1) : path.slice(root.length + 1);
}

function trimSlashes(path: string): string {
  return path.replace(/\/+$/, "") || (path.startsWith("/") ? "/" : "");
}
