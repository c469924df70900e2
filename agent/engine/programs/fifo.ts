/**
 * Makes named pipes (FIFOs) between two programs. Unlike in a shell's pipeline, the exit and the messages of
 * each program stay separate.
 */
import { capture } from "./capture.ts";
import type { Child, Children } from "./children.ts";
import { RunFailedError } from "../ports.ts";
import type { SystemUser } from "./system_user.ts";

/**
 * Creates a named pipe.
 * @param writer A user who is allowed to open the pipe again through its descriptor (`/dev/fd`); null if only
 *   the agent's user is allowed to open the pipe.
 */
export async function makeFifo(path: string, writer: SystemUser | null, children: Children): Promise<void> {
  const { exit, messages } = await capture(children, { program: "mkfifo", args: ["-m", "600", path] });
  if (exit.code !== 0) throw new RunFailedError(`Cannot make a pipe: ${messages.at(-1) ?? path}`);
  if (writer !== null) await Deno.chown(path, writer.uid, writer.gid);
}

/**
 * Prevents a program from waiting forever for the other end of a FIFO. Waits until one of the programs in
 * `ends` has ended. Then opens the FIFO for reading and writing, which never blocks, and closes it. If the
 * other program is still waiting to open the FIFO, it can now open it, and then finds the FIFO's other end
 * closed.
 */
export async function releaseAfter(ends: readonly Child[], path: string): Promise<void> {
  // Ignore an error of `exited`: other code that awaits `exited` gets the error.
  await Promise.race(ends.map(({ exited }) => exited.then(() => {}, () => {})));
  (await Deno.open(path, { read: true, write: true })).close();
}
