/**
 * Checks database files by their header: https://www.sqlite.org/fileformat.html. SQLite's backup function
 * copies whole pages, so a complete copy has the length that its header says.
 */
import { RunFailedError } from "../../ports.ts";

const MAGIC = "SQLite format 3\0";
const HEADER_BYTES = 100;

export function checkHeader(label: string, head: Uint8Array): void {
  if (head.length >= HEADER_BYTES && new TextDecoder("latin1").decode(head.subarray(0, 16)) === MAGIC) return;
  throw new RunFailedError(`Cannot trust the copy of ${label}: it does not start as a SQLite database does`);
}

/**
 * Throws if a file's length differs from the length in its header: the number of pages times the size of a
 * page.
 *
 * @param size Length of the file in bytes.
 * @param head Start of the file.
 */
export function checkDatabaseFile(label: string, size: number, head: Uint8Array): void {
  checkHeader(label, head);
  const view = new DataView(head.buffer, head.byteOffset);
  const field = view.getUint16(16);
  const pageSize = field === 1 ? 65536 : field;
  const expected = pageSize * view.getUint32(28);
  if (size === expected) return;
  throw new RunFailedError(
    `Cannot trust the copy of ${label}: its header tells of ${expected} bytes, it has ${size}`,
  );
}
