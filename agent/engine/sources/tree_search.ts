/** A walk over a directory tree by find(1), with the rights of the user that the source is read by. */
import { latin1 } from "../bytes.ts";
import type { RunContext } from "../run_context.ts";

/**
 * Calls `take` with each entry that `test` prints, ended by NUL, until it returns false. Stays on one file
 * system. Directories that can't be read are passed over: tar tells of them.
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
    // Leaving the loop closes the pipe, and find ends.
    if (!entries.every(take)) break;
  }
  await child.exited;
}
