/** A whole archive, unpacked by zstd into a program that makes something of it. */
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Child, Children, Command, Exit, Redirect } from "../children.ts";
import { makeFifo, releaseAfter } from "../fifo.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";

/**
 * Resolves with the program's exit. Where that is 0, the program had all of the archive, which is proven to be the one that
 * was stored. Rejects where the archive is at fault: with a `BackupDamagedError` where it is not the one that was stored.
 */
export async function feedUnpacked(
  archive: StoredObject,
  command: Command,
  onMessage: (line: string) => void,
  { children, objects, ports }: Pick<RestoreContext, "children" | "objects" | "ports">,
  filter: Command | null = null,
): Promise<Exit> {
  const fifo = `${ports.workDirectory}/pipe`;
  const unfiltered = filter === null ? fifo : `${fifo}-unfiltered`;
  for (const path of new Set([fifo, unfiltered])) await makeFifo(path, null, children);
  let said: string | null = null;
  const zstd = children.spawn({
    program: "zstd",
    args: ["-d", "-q", "-c"],
    redirects: [{ descriptor: 1, direction: ">", path: unfiltered }],
  }, {
    stdin: "piped",
    stdout: "null",
    onMessage: (line) => void (said ??= line.replace(/^zstd: /, "")),
  });
  const filtered = filter === null ? null : startFilter(filter, unfiltered, fifo, children);
  const program = children.spawn({
    ...command,
    redirects: [...command.redirects ?? [], { descriptor: 0, direction: "<", path: fifo }],
  }, { stdout: "null", onMessage });
  const fed = zstd.feed(objects.whole(archive));
  const released = [
    releaseAfter([filtered ?? zstd, program], fifo),
    releaseAfter([zstd, filtered ?? program], unfiltered),
  ];
  const [feeding] = await Promise.allSettled([fed, ...released, zstd.exited, program.exited]);
  for (const path of new Set([fifo, unfiltered])) await Deno.remove(path);
  ports.signal.throwIfAborted();
  const blamed = (error: unknown) => objects.blame(archive, error);
  if (feeding.status === "rejected") throw await blamed(feeding.reason);
  const unpacked = await zstd.exited;
  const exit = await program.exited;
  const passed = await filtered?.exited;
  // As zstd, a filter that was cut short tells of the program.
  if (passed !== undefined && passed.code !== 0 && exit.code === 0) {
    throw await blamed(new RunFailedError(`${archive.name} can't be read by ${filter!.program}`));
  }
  if (unpacked.code === 0) return exit;
  // A program that gave up takes zstd with it: then the program has the reason.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(said ?? "");
  if (!isCut) {
    throw await blamed(new RunFailedError(`${archive.name} does not unpack: ${said ?? "zstd failed"}`));
  }
  if (exit.code !== 0) return exit;
  throw await blamed(new RunFailedError(`${archive.name} holds more than ${command.program} took of it`));
}

function startFilter(filter: Command, from: string, to: string, children: Children): Child {
  const redirects: Redirect[] = [
    { descriptor: 0, direction: "<", path: from },
    { descriptor: 1, direction: ">", path: to },
  ];
  return children.spawn({ ...filter, redirects }, { stdout: "null", onMessage: () => {} });
}
