/** Searches for what a task's exclusions leave out, so that the run can warn of those that match nothing. */
import { textOf } from "../../archive/bytes.ts";
import type { RunContext } from "../../run_context.ts";
import { type ExclusionRule, ruleMatcher } from "./exclusion_rules.ts";
import { searchTree } from "./tree_search.ts";

/**
 * Resolves with the entries of `excluded_paths` that match nothing. Reads names only, and no more of them
 * than it takes to find one for each rule.
 *
 * @param tops Directories below the root that a walk over it would not enter; names relative to the root.
 */
export async function findUnmatched(
  root: string,
  tops: readonly string[],
  rules: readonly ExclusionRule[],
  context: RunContext,
): Promise<string[]> {
  let sought = rules.map((rule) => ({ given: rule.given, matches: ruleMatcher(rule) }));
  for (const top of ["", ...tops]) {
    if (sought.length === 0) break;
    const prefix = top === "" ? "" : `${top}/`;
    await searchTree(`${root}/${top}`, ["-mindepth", "1", "-printf", "%P\\0"], context, (entry) => {
      const name = prefix + textOf(entry);
      sought = sought.filter(({ matches }) => !matches(name));
      return sought.length > 0;
    });
  }
  return [...new Set(sought.map(({ given }) => given))];
}

/** Staging directories of restores in the root, or one level below it. */
export async function findStagingDirectories(root: string, context: RunContext): Promise<string[]> {
  const found: string[] = [];
  const named = ["-name", "*.rearguard-restore-*", "-prune", "-printf", "%P\\0"];
  await searchTree(root, ["-mindepth", "1", "-maxdepth", "2", ...named], context, (entry) => {
    found.push(textOf(entry));
    return true;
  });
  return found;
}
