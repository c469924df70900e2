/** Names of the temporary databases of restores and drills. */
import { createHash } from "node:crypto";

export interface TemporaryNames {
  /** Database that a restore loads. */
  fresh: string;
  /** Original database, until it is dropped. */
  replaced: string;
  /** Database that a drill loads. Nothing else uses it. */
  drill: string;
}

/**
 * Maximum length of a name in both engines. A longer name is truncated, and a digest distinguishes it from
 * others.
 */
const MAX_BYTES = 63;

const FRESH_SUFFIX = "_rearguard_fresh";
const REPLACED_SUFFIX = "_rearguard_replaced";
export const DRILL_SUFFIX = "_rearguard_drill";

/**
 * Prefix of the comment of each PostgreSQL database that Rearguard made. Only such databases are dropped
 * without asking.
 */
export const MARK = "Rearguard: ";
/** Comment of a database that is being loaded. */
export const UNFINISHED = `${MARK}unfinished restore`;
/** Start of the comment of an original that a restore renamed before the new database is complete. */
export const MOVED_ASIDE = `${MARK}moved aside by a restore: `;

export function temporaryNames(name: string): TemporaryNames {
  return {
    fresh: withSuffix(name, FRESH_SUFFIX),
    replaced: withSuffix(name, REPLACED_SUFFIX),
    drill: withSuffix(name, DRILL_SUFFIX),
  };
}

/** Whether a name is one that restores or drills give to their temporary databases. */
export function isOwnName(name: string): boolean {
  return [FRESH_SUFFIX, REPLACED_SUFFIX, DRILL_SUFFIX].some((suffix) => name.endsWith(suffix));
}

function withSuffix(name: string, suffix: string): string {
  const size = (text: string) => new TextEncoder().encode(text).length;
  if (size(name + suffix) <= MAX_BYTES) return name + suffix;
  const end = `_${createHash("sha256").update(name).digest("hex").slice(0, 8)}${suffix}`;
  const characters = [...name];
  while (size(characters.join("") + end) > MAX_BYTES) characters.pop();
  return characters.join("") + end;
}
