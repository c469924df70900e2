/**
 * Removes directories with their contents, even if a backup gave the directories modes without write
 * permission.
 */
import type { Clock } from "../../src/domain/clock.ts";
import { Children } from "./programs/children.ts";

/**
 * Removes a directory with its contents. Does nothing if the directory is missing. Takes no signal, because
 * the run's signal may already have aborted.
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
