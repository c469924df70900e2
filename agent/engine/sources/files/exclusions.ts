/**
 * Plans what tar leaves out of a directory: the task's `excluded_paths`, and what the run itself writes
 * there.
 *
 * An absolute path names one thing: symbolic links, `//`, `/./` and trailing slashes lead to the place where
 * it really lies below the source's real root, where tar names members `./…`. What exists under exactly that
 * name is meant literally; only what does not is read as a glob. A relative pattern matches at every depth,
 * one that starts with `./` at the source's root only. Neither `*` nor `?` matches a slash.
 */
import { isWithin } from "../../mounts.ts";
import { RunFailedError } from "../../ports.ts";
import { join, namesOf, normalise, relative } from "./path_text.ts";
import {
  type ExclusionRule,
  globSource,
  hasWildcards,
  quotePattern,
  ruleArguments,
  ruleMatcher,
} from "./exclusion_rules.ts";

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
  /** tar's options. */
  arguments: string[];
  /** What is left out that nobody asked for, for the run's output. */
  notes: string[];
  /** Entries of `excluded_paths` that leave out nothing, each with its reason. */
  warnings: string[];
  /** Tests of what the arguments leave out, by name relative to the root. */
  matchers: ((name: string) => boolean)[];
  /** Rules that are not known to match anything until the tree is searched. */
  unproven: ExclusionRule[];
}

/** Staging directories of restores, at work or left by one that was killed. */
const STAGING_RULE: ExclusionRule = {
  given: "",
  pattern: "*.rearguard-restore-*",
  isAnchored: false,
  isLiteral: false,
};

export function noExclusions(): Exclusions {
  return { arguments: [], notes: [], warnings: [], matchers: [], unproven: [] };
}

export async function planExclusions(request: ExclusionRequest): Promise<Exclusions> {
  const root = await Deno.realPath(request.sourcePath);
  const plan = noExclusions();
  for (const given of request.patterns) await addPattern(plan, given, root, request.sourcePath);
  addRule(plan, STAGING_RULE);
  for (const directory of request.ownDirectories) {
    const path = await resolveMissing(directory);
    if (!isWithin(path, root)) continue;
    if (path === root) addOwnObjects(plan, request);
    else {
      const pattern = relative(path, root);
      addRule(plan, { given: directory, pattern, isAnchored: true, isLiteral: true });
      plan.notes.push(`Left out: ${path}, which this run writes to`);
    }
  }
  return plan;
}

function addRule(plan: Exclusions, rule: ExclusionRule): void {
  plan.arguments.push(...ruleArguments(rule));
  plan.matchers.push(ruleMatcher(rule));
}

async function addPattern(plan: Exclusions, given: string, root: string, sourcePath: string): Promise<void> {
  if (!given.isWellFormed() || given.includes("\0") || normalise(given) === "") {
    throw new RunFailedError(
      `Cannot exclude ${JSON.stringify(given)}: it is not a pattern. Change the task's excluded_paths.`,
    );
  }
  const found = given.startsWith("/")
    ? await locate(given, root, sourcePath)
    : await relativeRules(given, root);
  if (typeof found === "string") {
    plan.warnings.push(`Excluded path ${given} ${found}: nothing is left out for it`);
    return;
  }
  for (const rule of found.rules) addRule(plan, rule);
  if (!found.isProven) plan.unproven.push(...found.rules);
}

interface Found {
  rules: ExclusionRule[];
  /** Something of that name exists. */
  isProven: boolean;
}

/** Rules of an absolute path, or the reason why there are none. */
async function locate(given: string, root: string, sourcePath: string): Promise<Found | string> {
  const path = normalise(given);
  const places = await placesOf(path, given.endsWith("/"), root);
  if (places.length === 0) {
    if (hasWildcards(path)) return await globRules(given, path, root, sourcePath);
    return isWithin(path, normalise(sourcePath)) || isWithin(path, root)
      ? "is not there"
      : `is not in ${sourcePath}`;
  }
  const inside = new Set(places.filter((place) => place !== root && isWithin(place, root)));
  const rules = [...inside].map((place) => ({
    given,
    pattern: relative(place, root),
    isAnchored: true,
    isLiteral: true,
  }));
  if (rules.length > 0) return { rules, isProven: true };
  if (places.includes(root)) throw isSource(given);
  return places.some((place) => isWithin(root, place)) ? refuseRoot(given, path) : `is not in ${sourcePath}`;
}

function refuseRoot(given: string, path: string): string {
  if (path === "/") throw isSource(given);
  return "holds the source itself";
}

function isSource(given: string): RunFailedError {
  return new RunFailedError(
    `Cannot exclude ${given}: it is the source itself. Change the task's excluded_paths.`,
  );
}

/**
 * Where the path really lies, empty where nothing is there. A symbolic link in the source is itself meant,
 * not what it leads to, unless a slash behind it asks for that too. A link elsewhere means what it leads to.
 */
async function placesOf(path: string, isDirectory: boolean, root: string): Promise<string[]> {
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
    // Whether it is there can't be known: it is taken as it is written.
    if (error instanceof Deno.errors.PermissionDenied) return [path];
    throw new RunFailedError(
      `Cannot exclude ${path}: ${(error as Error).message}. Correct the task's excluded_paths.`,
      { cause: error },
    );
  }
}

/**
 * Outside of the source a glob is followed to the directories that are there, in the source tar matches its
 * rest.
 */
async function globRules(
  given: string,
  path: string,
  root: string,
  sourcePath: string,
): Promise<Found | string> {
  const rules: ExclusionRule[] = [];
  const follow = async (directory: string, names: readonly string[]): Promise<void> => {
    const real = await Deno.realPath(directory).catch(() => null);
    if (real === null) return;
    if (isWithin(real, root)) {
      if (names.length === 0 && real === root) throw isSource(given);
      const above = namesOf(relative(real, root)).map(quotePattern);
      const pattern = [...above, ...await quoteExisting(real, names, hasWildcards)].join("/");
      rules.push({ given, pattern, isAnchored: true, isLiteral: false });
      return;
    }
    const [name, ...rest] = names;
    if (name === undefined) return;
    for (const found of await namesMatching(real, name)) await follow(join(real, found), rest);
  };
  await follow("/", namesOf(path));
  return rules.length === 0 ? `is not in ${sourcePath}` : { rules, isProven: false };
}

async function namesMatching(directory: string, name: string): Promise<string[]> {
  if (!hasWildcards(name) || await exists(join(directory, name))) return [name];
  const expression = new RegExp(`^${globSource(name)}$`, "su");
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (expression.test(entry.name)) found.push(entry.name);
    }
  } catch (error) {
    if (!isMissing(error) && !(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
  return found;
}

/** Names of the path that are there are meant literally. */
async function quoteExisting(
  directory: string,
  names: readonly string[],
  mayBeMeant: (name: string) => boolean,
): Promise<string[]> {
  const [name, ...rest] = names;
  if (name === undefined || !await exists(join(directory, name))) return [...names];
  const quoted = mayBeMeant(name) ? quotePattern(name) : name;
  return [quoted, ...await quoteExisting(join(directory, name), rest, mayBeMeant)];
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/**
 * A backslash or bracket that is part of a name at the root is meant literally; `*` and `?` match themselves
 * anyway.
 */
async function relativeRules(given: string, root: string): Promise<Found> {
  const path = normalise(given);
  const isAnchored = given.startsWith("./");
  const pattern = path.replace(/^\.\//, "");
  if (pattern === "." || pattern === "") throw isSource(given);
  const names = await quoteExisting(root, pattern.split("/"), (name) => /[\\[]/.test(name));
  const isLiteral = !hasWildcards(pattern);
  return { rules: [{ given, pattern: names.join("/"), isAnchored, isLiteral }], isProven: false };
}

/** The destination is the source's own root: all but the task's objects belongs to the backup. */
function addOwnObjects(plan: Exclusions, { objectPrefix }: ExclusionRequest): void {
  const prefix = quotePattern(objectPrefix);
  const suffixes = [".tar.zst", ".tar.zst.age", ".index.zst", ".index.zst.age", ".manifest.json"];
  const patterns = [...suffixes.map((suffix) => `${prefix}_*${suffix}`), `.${prefix}_*.partial`];
  for (const pattern of patterns) addRule(plan, { given: "", pattern, isAnchored: true, isLiteral: false });
  plan.notes.push("Left out: this task's own backups, which lie in the source");
}

/** The real path of a directory that may not be there yet, or never: the destination is the one to say so. */
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
