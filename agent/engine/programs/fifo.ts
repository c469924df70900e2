/** Pipes with a name, which join two programs whose exits and messages stay their own. */
import { capture } from "./capture.ts";
import type { Child, Children } from "./children.ts";
import { RunFailedError } from "../ports.ts";
import type { SystemUser } from "./system_user.ts";

/** @param writer May open it anew by its descriptor. */
export async function makeFifo(path: string, writer: SystemUser | null, children: Children): Promise<void> {
  const { exit, messages } = await capture(children, { program: "mkfifo", args: ["-m", "600", path] });
  if (exit.code !== 0) throw new RunFailedError(`Cannot make a pipe: ${messages.at(-1) ?? path}`);
  if (writer !== null) await Deno.chown(path, writer.uid, writer.gid);
}

/**
 * Waits until one of the programs at a FIFO has ended, however it did, then lets go whoever still waits for
 * it to be opened. Opening for both directions does not wait, and closing is the end of the stream.
 */
export async function releaseAfter(ends: readonly Child[], path: string): Promise<void> {
  // Whoever waits for the program itself gets its error.
  await Promise.race(ends.map(({ exited }) => exited.then(() => {}, () => {})));
  (await Deno.open(path, { read: true, write: true })).close();
}
