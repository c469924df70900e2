/** Names of a run's objects: `<prefix>[_<database>]_<stamp><extension>`. */
import type { BackupJob } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";

/**
 * Maximum length of an object's name in bytes. File systems allow 255 bytes, and the name of the partial file
 * is longer than the object's.
 */
const MAX_NAME_BYTES = 240;

export function objectName(job: BackupJob, infix: string | null, extension: string): string {
  const { prefix, stamp } = job.object;
  const name = `${prefix}_${infix === null ? "" : `${infix}_`}${stamp}${extension}`;
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new RunFailedError(
      `Cannot store ${name}: the name is over ${MAX_NAME_BYTES} bytes. Shorten the task's appended_file_name.`,
    );
  }
  return name;
}

/**
 * Encodes a database's name for a file name. Every byte that is not a letter, digit, `.`, `-` or `_` becomes
 * `%XX`, so that `decodeURIComponent` returns the original name.
 */
export function databaseInfix(database: string): string {
  const bytes = new TextEncoder().encode(database);
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/**
 * Stands in an object's name where other objects have the name of a database. An object with this text in its
 * name belongs to the whole server: it contains roles and whatever else belongs to no database. No encoded
 * database name equals this text, because {@link databaseInfix} encodes `~`.
 */
export const GLOBALS_INFIX = "~globals";
