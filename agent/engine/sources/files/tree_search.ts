/** Searches a directory with find(1), with the permissions of the user that reads the source. */
import { latin1 } from "../../archive/bytes.ts";
import type { RunContext } from "../../run_context.ts";

/**
 * Calls `take` with each entry that the find expression `test` prints, until `take` returns false. Entries
 * end with NUL. Stays on one file system. Skips directories that cannot be read, because tar reports them.
 */
export async function searchTree(
  root: string,
  test: readonly string[],
  { children, user }: RunContext,
  take: (entry: string) => boolean,
): Promise<void> {
  const child = children.spawn({ program: "find", args: ["-H", root, "-xdev", ...test], user }, {
    stdout: "piped",
    onMessage: () => {},
  });
  let rest = "";
  for await (const chunk of child.stdout!) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    // Leaving the loop closes the pipe. find then ends.
    if (!entries.every(take)) break;
  }
  await child.exited;
}
