/** Names of databases that stand beside another one while it is restored, there or in a drill. */
import { createHash } from "node:crypto";

export interface TemporaryNames {
  /** What is being loaded. */
  fresh: string;
  /** What was there before, until it is dropped. */
  replaced: string;
  /** What a drill loads, and nobody but the drill uses. */
  drill: string;
}

/**
 * Both engines take 63 bytes; a name that leaves no room is cut, and told from others that are cut by a
 * digest.
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
/** The comment of a database that is being loaded. */
export const UNFINISHED = `${MARK}unfinished restore`;
/** Begins the comment of an original that a restore moved out of its place, before the new one is whole. */
export const MOVED_ASIDE = `${MARK}moved aside by a restore: `;

export function temporaryNames(name: string): TemporaryNames {
  return {
    fresh: beside(name, FRESH_SUFFIX),
    replaced: beside(name, REPLACED_SUFFIX),
    drill: beside(name, DRILL_SUFFIX),
  };
}

/** Whether a restore or a drill would call a database of its own so. */
export function isOwnName(name: string): boolean {
  return [FRESH_SUFFIX, REPLACED_SUFFIX, DRILL_SUFFIX].some((suffix) => name.endsWith(suffix));
}

function beside(name: string, suffix: string): string {
  const size = (text: string) => new TextEncoder().encode(text).length;
  if (size(name + suffix) <= MAX_BYTES) return name + suffix;
  const end = `_${createHash("sha256").update(name).digest("hex").slice(0, 8)}${suffix}`;
  const characters = [...name];
  while (size(characters.join("") + end) > MAX_BYTES) characters.pop();
  return characters.join("") + end;
}
