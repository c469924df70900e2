/** Names the temporary databases of restores and drills. */
import { createHash } from "node:crypto";

export interface TemporaryNames {
  /** Database that a restore loads a dump into. */
  fresh: string;
  /** Name that the original database gets when it is replaced, and keeps until it is dropped. */
  replaced: string;
  /** Database that a drill loads a dump into. */
  drill: string;
}

/**
 * Maximum length of a temporary database's name, in bytes. Both PostgreSQL and MySQL accept names of this
 * length. If a name would be longer, the original name in it is shortened, and a digest of the original name
 * is added. So the temporary name stays unique.
 */
const MAX_BYTES = 63;

const FRESH_SUFFIX = "_rearguard_fresh";
const REPLACED_SUFFIX = "_rearguard_replaced";
export const DRILL_SUFFIX = "_rearguard_drill";

/**
 * Start of the comment on each PostgreSQL database that Rearguard created. Rearguard drops only databases
 * whose comment begins with this text.
 */
export const MARK = "Rearguard: ";
/** Comment on a database while a restore loads it. */
export const UNFINISHED = `${MARK}unfinished restore`;
/**
 * Start of the comment on an original database that a restore has renamed. The restore renames it before the
 * new database is complete.
 */
export const MOVED_ASIDE = `${MARK}moved aside by a restore: `;

export function temporaryNames(name: string): TemporaryNames {
  return {
    fresh: withSuffix(name, FRESH_SUFFIX),
    replaced: withSuffix(name, REPLACED_SUFFIX),
    drill: withSuffix(name, DRILL_SUFFIX),
  };
}

/** Returns whether a name has one of the suffixes that restores and drills add to databases' names. */
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
