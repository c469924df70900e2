/** Named pipes between two programs, whose exits and messages stay separate. */
import { capture } from "./capture.ts";
import type { Child, Children } from "./children.ts";
import { RunFailedError } from "../ports.ts";
import type { SystemUser } from "./system_user.ts";

/**
 * Creates a named pipe.
 * @param writer The user who may open it again through its descriptor (`/dev/fd`).
 */
export async function makeFifo(path: string, writer: SystemUser | null, children: Children): Promise<void> {
  const { exit, messages } = await capture(children, { program: "mkfifo", args: ["-m", "600", path] });
  if (exit.code !== 0) throw new RunFailedError(`Cannot make a pipe: ${messages.at(-1) ?? path}`);
  if (writer !== null) await Deno.chown(path, writer.uid, writer.gid);
}

/**
 * Waits until one of the programs at a FIFO has ended, then releases a program that is blocked opening it.
 * Opening a FIFO for reading and writing never blocks, and closing it ends the stream.
 */
export async function releaseAfter(ends: readonly Child[], path: string): Promise<void> {
  // Callers that await the program get its error.
  await Promise.race(ends.map(({ exited }) => exited.then(() => {}, () => {})));
  (await Deno.open(path, { read: true, write: true })).close();
}
