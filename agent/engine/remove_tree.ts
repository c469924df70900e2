/**
 * Removes a directory with all it holds, also where it came from a backup and its owner may not write to it.
 */
import type { Clock } from "../../src/domain/clock.ts";
import { Children } from "./children.ts";

/** One that is not there counts as removed. Not by the signal of a run, which may be what ended it. */
export async function removeTree(path: string, clock: Clock): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
  } catch {
    await using children = new Children(clock, new AbortController().signal);
    const chmod = children.spawn({ program: "chmod", args: ["-R", "u+rwx", "--", path] }, {
      stdout: "null",
      onMessage: () => {},
    });
    await chmod.exited;
    await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
