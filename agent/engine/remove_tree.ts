/** Removes a directory and its contents, even if it came from a backup and its owner may not write to it. */
import type { Clock } from "../../src/domain/clock.ts";
import { Children } from "./programs/children.ts";

/**
 * Removes a directory tree. A missing one counts as removed. Takes no signal, because the run's signal may
 * have aborted already.
 */
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
