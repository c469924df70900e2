/** A whole archive, unpacked by zstd into a program that makes something of it. */
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Command, Exit } from "../children.ts";
import { makeFifo, releaseFifo } from "../fifo.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";

/**
 * Resolves with the program's exit. Where that is 0, the program had all of the archive, which is proven to be the one that
 * was stored. Rejects where the archive is at fault.
 */
export async function feedUnpacked(
  archive: StoredObject,
  command: Command,
  onMessage: (line: string) => void,
  { children, objects, ports }: Pick<RestoreContext, "children" | "objects" | "ports">,
): Promise<Exit> {
  const fifo = `${ports.workDirectory}/pipe`;
  await makeFifo(fifo, null, children);
  let said: string | null = null;
  const zstd = children.spawn({
    program: "zstd",
    args: ["-d", "-q", "-c"],
    redirects: [{ descriptor: 1, direction: ">", path: fifo }],
  }, {
    stdin: "piped",
    stdout: "null",
    onMessage: (line) => void (said ??= line.replace(/^zstd: /, "")),
  });
  const program = children.spawn({
    ...command,
    redirects: [...command.redirects ?? [], { descriptor: 0, direction: "<", path: fifo }],
  }, { stdout: "null", onMessage });
  const fed = zstd.feed(objects.whole(archive));
  const ended = Promise.race([zstd.exited, program.exited]).then(() => releaseFifo(fifo));
  const [feeding] = await Promise.allSettled([fed, ended, zstd.exited, program.exited]);
  await Deno.remove(fifo);
  ports.signal.throwIfAborted();
  if (feeding.status === "rejected") throw feeding.reason;
  const unpacked = await zstd.exited;
  const exit = await program.exited;
  if (unpacked.code === 0) return exit;
  // A program that gave up takes zstd with it: then the program has the reason.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(said ?? "");
  if (!isCut) throw new RunFailedError(`${archive.name} does not unpack: ${said ?? "zstd failed"}`);
  if (exit.code !== 0) return exit;
  throw new RunFailedError(`${archive.name} holds more than ${command.program} took of it`);
}
