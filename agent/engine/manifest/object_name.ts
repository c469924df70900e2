/** What a run's objects are called: `<prefix>[_<database>]_<stamp><extension>`. */
import type { BackupJob } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";

/** File systems take 255 bytes; a destination may need some for the name it writes under. */
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
 * A database's name as a part of a file name: bytes other than letters, digits, `.`, `-` and `_` become
 * `%XX`. `decodeURIComponent` reads it back.
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
 * Holds no database of that name: `~` is escaped in those. Roles and the like, which belong to the whole
 * server.
 */
export const GLOBALS_INFIX = "~globals";
