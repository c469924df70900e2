/**
 * Warns about members whose paths are too long for any program to open. A backup contains these members, but
 * a restore leaves them out.
 */
import { IndexParser } from "../../archive/archive_index.ts";
import { LONGEST_NAME } from "../../longest_name.ts";
import { displayName } from "../../archive/display_name.ts";

/** Maximum number of members that the warnings name. Further members are only counted. */
const NAMED = 20;
/** A warning shows this many bytes from the start and from the end of a path that is too long. */
const SHOWN = 60;

/**
 * Calls `warn` for each member of tar's listing whose path is too long. Parses only lines that are long
 * enough.
 */
export async function warnOfLongPaths(indexPath: string, warn: (line: string) => void): Promise<void> {
  let count = 0;
  await longLines(indexPath, LONGEST_NAME, (line) => {
    const member = new IndexParser().line(line);
    if (member === null || member.name.length <= LONGEST_NAME || ++count > NAMED) return;
    const { name } = member;
    warn(
      `Too long to be restored: a path of ${name.length} bytes, where Linux opens ${LONGEST_NAME} at most. ` +
        `Restores leave it out: ${displayName(name.slice(0, SHOWN))}…${displayName(name.slice(-SHOWN))}`,
    );
  });
  if (count > NAMED) warn(`Too long to be restored: ${count - NAMED} more paths`);
}

/** Calls `take` with the lines of a file that are longer than `bytes` bytes, decoded as UTF-8. */
async function longLines(path: string, bytes: number, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let before: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (await Deno.open(path)).readable) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (length + end - start > bytes) {
        take(
          before.map((part) => decoder.decode(part, { stream: true })).join("") +
            decoder.decode(chunk.subarray(start, end)),
        );
      }
      before = [];
      length = 0;
      start = end + 1;
    }
    before.push(chunk.slice(start));
    length += chunk.length - start;
  }
}
