/**
 * Plans what tar leaves out of a directory: the task's `excluded_paths`, and the files that the run itself
 * writes there.
 *
 * An absolute path in `excluded_paths` names one file or directory:
 * - Symbolic links, `//`, `/./` and trailing slashes are resolved.
 * - The path is made relative to the source's root, because tar names members `./…`.
 * - A path that exists is taken literally. A path that does not exist is taken for a glob.
 *
 * A relative pattern matches at every depth:
 * - A pattern that starts with `./` matches only at the source's root.
 * - A pattern that ends with a slash matches only directories.
 * - `*` and `?` do not match a slash.
 * - The name `**` matches any number of directories.
 */
import { isWithin, type Mount } from "../../mounts.ts";
import { RunFailedError } from "../../ports.ts";
import { join, normalise, relative } from "./path_text.ts";
import { aliasesWithin } from "./bind_mounts.ts";
import { globsInside, quoteExisting } from "./exclusion_globs.ts";
import {
  type ExclusionRule,
  hasWildcards,
  quotePattern,
  ruleArguments,
  ruleMatcher,
} from "./exclusion_rules.ts";
import { displayPattern } from "./display_pattern.ts";

export interface ExclusionRequest {
  /** Absolute path of the source, exactly as in the task. */
  sourcePath: string;
  patterns: string[];
  /** Directories that the run writes to: a local destination and the work directory. */
  ownDirectories: string[];
  /** Prefix of the names of the task's objects. */
  objectPrefix: string;
  /** All mounts of the system. A bind mount gives a directory of the source a second path. */
  mounts: readonly Mount[];
}

export interface Exclusions {
  /** Options of tar, except for those of `directoryRules`. */
  arguments: string[];
  /** Rules that match only directories. Which options tar gets for them depends on the source's contents. */
  directoryRules: ExclusionRule[];
  /** Lines for the run's output about files that are left out although no entry of the task names them. */
  notes: string[];
  /** Warnings about entries of `excluded_paths` that match nothing, each with the reason. */
  warnings: string[];
  /** Functions that take a file's name relative to the root, and return whether the file is left out. */
  matchers: ((name: string) => boolean)[];
  /** Rules for which it is unknown whether they match any file. The source must be searched for matches. */
  unsearched: ExclusionRule[];
}

/** Leaves out the staging directories of restores that are running or were killed. */
const STAGING_RULE: ExclusionRule = {
  given: "",
  pattern: "*.rearguard-restore-*",
  isAnchored: false,
  isLiteral: false,
};

function noExclusions(): Exclusions {
  return { arguments: [], directoryRules: [], notes: [], warnings: [], matchers: [], unsearched: [] };
}

export async function planExclusions(request: ExclusionRequest): Promise<Exclusions> {
  const root = await Deno.realPath(request.sourcePath);
  const plan = noExclusions();
  for (const given of request.patterns) await addPattern(plan, given, root, request);
  addRule(plan, STAGING_RULE);
  for (const directory of request.ownDirectories) {
    const real = await resolveMissing(directory);
    const own = isWithin(real, root) ? [real] : [];
    for (const path of [...own, ...await aliasesWithin(root, real, request.mounts)]) {
      if (path === root) addOwnObjects(plan, request);
      else {
        const pattern = relative(path, root);
        addRule(plan, { given: directory, pattern, isAnchored: true, isLiteral: true });
        plan.notes.push(`Left out: ${path}, which this run writes to`);
      }
    }
  }
  return plan;
}

/**
 * Returns the paths within the root that lead to `real`. If `real` is within the root, this is only `real`.
 * If `real` is outside the root, bind mounts might lead to it from within the root. The result is then the
 * paths through these mounts.
 */
async function pathsWithin(root: string, real: string, mounts: readonly Mount[]): Promise<string[]> {
  return isWithin(real, root) ? [real] : await aliasesWithin(root, real, mounts);
}

function addRule(plan: Exclusions, rule: ExclusionRule): void {
  if (rule.isDirectory) plan.directoryRules.push(rule);
  else plan.arguments.push(...ruleArguments(rule));
  plan.matchers.push(ruleMatcher(rule));
}

async function addPattern(
  plan: Exclusions,
  given: string,
  root: string,
  request: ExclusionRequest,
): Promise<void> {
  if (!given.isWellFormed() || given.includes("\0") || normalise(given) === "") {
    throw new RunFailedError(
      `Cannot exclude ${JSON.stringify(given)}: it is not a pattern. Change the task's excluded_paths.`,
    );
  }
  const found = given.startsWith("/")
    ? await absoluteRules(given, root, request)
    : await relativeRules(given, root);
  if (typeof found === "string") {
    plan.warnings.push(`Excluded path ${displayPattern(given)} ${found}: nothing is left out for it`);
    return;
  }
  for (const rule of found.rules) addRule(plan, rule);
  if (!found.exists) plan.unsearched.push(...found.rules);
}

interface FoundRules {
  rules: ExclusionRule[];
  /** Whether the excluded path exists. The rules were made from this path. */
  exists: boolean;
}

/** Returns the rules for an absolute path. If no rule can be made for the path, returns the reason. */
async function absoluteRules(
  given: string,
  root: string,
  { sourcePath, mounts }: ExclusionRequest,
): Promise<FoundRules | string> {
  const path = normalise(given);
  if (namesDirectory(given) && await isNotDirectory(path)) return "is no directory";
  const realPaths = await realPathsOf(path, namesDirectory(given), root);
  if (realPaths.length === 0) {
    if (hasWildcards(path)) {
      const globs = await globsInside(path, root, (real) => pathsWithin(root, real, mounts));
      if (globs === "the source itself") throw sourceExcludedError(given);
      const rules = globs.map((pattern) => globRule(given, pattern));
      return rules.length === 0 ? `is not in ${sourcePath}` : { rules, exists: false };
    }
    return isWithin(path, normalise(sourcePath)) || isWithin(path, root)
      ? "does not exist"
      : `is not in ${sourcePath}`;
  }
  const paths = new Set<string>();
  for (const real of realPaths) for (const each of await pathsWithin(root, real, mounts)) paths.add(each);
  const rules = [...paths].filter((each) => each !== root).map((each) => ({
    given,
    pattern: relative(each, root),
    isAnchored: true,
    isLiteral: true,
  }));
  if (rules.length > 0) return { rules, exists: true };
  if (paths.has(root)) throw sourceExcludedError(given);
  return realPaths.some((real) => isWithin(root, real)) ? refuseRoot(given, path) : `is not in ${sourcePath}`;
}

function globRule(given: string, pattern: string): ExclusionRule {
  return { given, pattern, isAnchored: true, isLiteral: false, isDirectory: namesDirectory(given) };
}

function namesDirectory(given: string): boolean {
  return /\/\.?$/.test(given);
}

/** Returns whether the path exists and is not a directory. */
function isNotDirectory(path: string): Promise<boolean> {
  return Deno.stat(path).then(({ isDirectory }) => !isDirectory, () => false);
}

function refuseRoot(given: string, path: string): string {
  if (path === "/") throw sourceExcludedError(given);
  return "holds the source itself";
}

function sourceExcludedError(given: string): RunFailedError {
  return new RunFailedError(
    `Cannot exclude ${given}: it is the source itself. Change the task's excluded_paths.`,
  );
}

/**
 * Returns the real paths of `path`; none if `path` does not exist. Symbolic links in the directories above
 * it are resolved.
 *
 * If `path` is itself a symbolic link, returns two paths: the link's and its target's. But if the link is in
 * the source and `path` has no trailing slash, returns only the link's path.
 */
async function realPathsOf(path: string, isDirectory: boolean, root: string): Promise<string[]> {
  try {
    const info = await Deno.lstat(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (path === "/" || name === "..") return [await Deno.realPath(path)];
    const parent = await Deno.realPath(path.slice(0, path.lastIndexOf("/")) || "/");
    const own = join(parent, name);
    if (!info.isSymlink) return [own];
    if (isWithin(own, root) && !isDirectory) return [own];
    return [own, await Deno.realPath(path).catch(() => own)];
  } catch (error) {
    if (isMissing(error)) return [];
    // The path might exist, but its links cannot be resolved. So exclude the path as it is written.
    if (error instanceof Deno.errors.PermissionDenied) return [path];
    throw new RunFailedError(
      `Cannot exclude ${path}: ${(error as Error).message}. Correct the task's excluded_paths.`,
      { cause: error },
    );
  }
}

/**
 * Returns the rule for a relative pattern. A name in the pattern is quoted, so that it matches literally, if
 * two conditions are met: it contains a backslash or `[`, and exactly this name exists at its place below
 * `root`. A name with only `*` or `?` is not quoted, because these also match themselves.
 */
async function relativeRules(given: string, root: string): Promise<FoundRules> {
  const path = normalise(given);
  const isAnchored = given.startsWith("./");
  const pattern = path.replace(/^\.\//, "");
  if (pattern === "." || pattern === "") throw sourceExcludedError(given);
  const names = await quoteExisting(root, pattern.split("/"), (name) => /[\\[]/.test(name));
  const isLiteral = !hasWildcards(pattern);
  const isDirectory = namesDirectory(given);
  return {
    rules: [{ given, pattern: names.join("/"), isAnchored, isLiteral, isDirectory }],
    exists: false,
  };
}

/**
 * If the source's root is also the destination, leaves out the objects of the task's own backups. Everything
 * else is backed up.
 */
function addOwnObjects(plan: Exclusions, { objectPrefix }: ExclusionRequest): void {
  const prefix = quotePattern(objectPrefix);
  const suffixes = [".tar.zst", ".tar.zst.age", ".index.zst", ".index.zst.age", ".manifest.json"];
  const patterns = [...suffixes.map((suffix) => `${prefix}_*${suffix}`), `.${prefix}_*.partial`];
  for (const pattern of patterns) addRule(plan, { given: "", pattern, isAnchored: true, isLiteral: false });
  plan.notes.push("Left out: this task's own backups, which are in the source");
}

/**
 * Returns a directory's path without symbolic links. If the directory does not exist, resolves only the part
 * of the path that exists. A missing directory is no error here: if it can't be created later, the
 * destination reports the error.
 */
async function resolveMissing(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!isMissing(error) || path === "/") throw error;
    const trimmed = normalise(path);
    const cut = trimmed.lastIndexOf("/");
    return join(await resolveMissing(trimmed.slice(0, cut) || "/"), trimmed.slice(cut + 1));
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    ["ENAMETOOLONG", "ELOOP"].includes((error as { code?: string }).code ?? "");
}
