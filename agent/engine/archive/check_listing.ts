/** Checks the listing that tar has just written. Uses the same parser as browsing and restoring. */
import { describeUnreadableLines, IndexParser } from "./archive_index.ts";
import { LineReader } from "../programs/line_reader.ts";
import type { Output } from "../ports.ts";

const READ_BYTES = 256 * 1024;

/**
 * Checks that each line of a listing can be parsed. Warns about a line that cannot be parsed: the line's
 * member is stored, but cannot be found in the backup. Rejects if a member's name leads out of the source.
 */
export async function checkListing(path: string, label: string, output: Output): Promise<void> {
  const parser = new IndexParser();
  const reader = new LineReader((line) => void parser.line(line));
  using file = await Deno.open(path);
  const buffer = new Uint8Array(READ_BYTES);
  for (let length = await file.read(buffer); length !== null; length = await file.read(buffer)) {
    reader.push(buffer.subarray(0, length));
  }
  reader.end();
  if (parser.unreadable !== null) {
    output.warning(describeUnreadableLines(`The index of ${label}`, parser.unreadable));
  }
}
