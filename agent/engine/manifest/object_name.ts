/** Names of a run's objects: `<prefix>[_<database>]_<stamp><extension>`. */
import type { BackupJob } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";

/** Limit in bytes. File systems allow 255; a destination needs some of them for its temporary name. */
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
 * Encodes a database's name for a file name: bytes other than letters, digits, `.`, `-` and `_` become `%XX`.
 * `decodeURIComponent` decodes it.
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
 * The infix for roles and other objects that belong to the whole server. It can't collide with a database's
 * name, in which `~` is escaped.
 */
export const GLOBALS_INFIX = "~globals";
