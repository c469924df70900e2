/**
 * Searches a source for the files that the task's exclusions match, so that the run can warn about exclusions
 * without a match.
 */
import { textOf } from "../../archive/bytes.ts";
import type { RunContext } from "../../run_context.ts";
import { type ExclusionRule, ruleMatcher } from "./exclusion_rules.ts";
import { searchTree } from "./tree_search.ts";

export interface ExclusionFindings {
  /** Entries of `excluded_paths` that match nothing. */
  unmatched: string[];
  /**
   * Rules that exclude only directories, although their pattern matches files too. The files are not
   * excluded.
   */
  withFiles: ReadonlySet<ExclusionRule>;
}

/**
 * Returns the entries without a match, and the rules that exclude only directories although their pattern
 * matches files too. Stops the search once nothing more can be found: each rule has a match, and each rule
 * that excludes only directories has matched both a directory and a file.
 *
 * @param tops Directories below the root that a search of the root does not enter, such as subvolumes. Their
 *   names are relative to the root.
 */
export async function searchExclusions(
  root: string,
  tops: readonly string[],
  rules: readonly ExclusionRule[],
  context: RunContext,
): Promise<ExclusionFindings> {
  const matched = new Set<string>();
  const withFiles = new Set<ExclusionRule>();
  const isSought = (rule: ExclusionRule) =>
    !matched.has(rule.given) || (rule.isDirectory === true && !withFiles.has(rule));
  let sought = rules.map((rule) => ({ rule, matches: ruleMatcher(rule) }));
  for (const top of ["", ...tops]) {
    if (sought.length === 0) break;
    const prefix = top === "" ? "" : `${top}/`;
    await searchTree(`${root}/${top}`, ["-mindepth", "1", "-printf", "%y%P\\0"], context, (entry) => {
      const name = prefix + textOf(entry.slice(1));
      const found = sought.filter(({ matches }) => matches(name));
      if (found.length === 0) return true;
      for (const { rule } of found) {
        if (rule.isDirectory && !entry.startsWith("d")) withFiles.add(rule);
        else matched.add(rule.given);
      }
      sought = sought.filter(({ rule }) => isSought(rule));
      return sought.length > 0;
    });
  }
  const unmatched = rules.map(({ given }) => given).filter((given) => !matched.has(given));
  return { unmatched: [...new Set(unmatched)], withFiles };
}

/** Returns the names of staging directories of restores, in the root and one level below it. */
export async function findStagingDirectories(root: string, context: RunContext): Promise<string[]> {
  const found: string[] = [];
  const named = ["-name", "*.rearguard-restore-*", "-prune", "-printf", "%P\\0"];
  await searchTree(root, ["-mindepth", "1", "-maxdepth", "2", ...named], context, (entry) => {
    found.push(textOf(entry));
    return true;
  });
  return found;
}
