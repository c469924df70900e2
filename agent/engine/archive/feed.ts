/** Unpacks a whole archive with zstd and feeds it to a program's input. */
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Child, Command, Exit } from "../programs/children.ts";
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore_context.ts";

/** Transforms a dump before the program reads it. */
export type Rewrite = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/**
 * Runs the program and resolves with its exit. With exit code 0, the program has read the whole archive, and
 * the archive is verified. Rejects if the archive can't be read. Rejects with a `BackupDamagedError` if the
 * archive differs from the one that was stored.
 */
export async function feedUnpacked(
  archive: StoredObject,
  command: Command,
  onMessage: (line: string) => void,
  { children, objects, ports }: Pick<RestoreContext, "children" | "objects" | "ports">,
  rewrite: Rewrite | null = null,
): Promise<Exit> {
  let firstMessage: string | null = null;
  const unpacking: Command = { program: "zstd", args: ["-d", "-q", "-c"] };
  const onZstd = (line: string) => void (firstMessage ??= line.replace(/^zstd: /, ""));
  const { zstd, program, joined } = rewrite === null
    ? await joinByPipe(unpacking, command, onZstd, onMessage, { children, ports })
    : joinByRewrite(unpacking, command, onZstd, onMessage, { children, rewrite });
  const fed = zstd.feed(objects.whole(archive));
  const [feeding, joining] = await Promise.allSettled([fed, joined, zstd.exited, program.exited]);
  ports.signal.throwIfAborted();
  const diagnosed = (error: unknown) => objects.diagnose(archive, error);
  if (feeding.status === "rejected") throw await diagnosed(feeding.reason);
  if (joining.status === "rejected") throw joining.reason;
  const unpacked = await zstd.exited;
  const exit = await program.exited;
  if (unpacked.code === 0) return exit;
  // If the program stops reading, zstd ends with SIGPIPE. Then the program has failed, and zstd has not.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(firstMessage ?? "");
  if (!isCut) {
    throw await diagnosed(
      new RunFailedError(`${archive.name} does not unpack: ${firstMessage ?? "zstd failed"}`),
    );
  }
  if (exit.code !== 0) return exit;
  throw await diagnosed(new RunFailedError(`${archive.name} holds more than ${command.program} has read`));
}

interface Joined {
  zstd: Child;
  program: Child;
  /** Settles once the program has ended, or has read everything that zstd wrote. */
  joined: Promise<void>;
}

/**
 * Starts zstd and the program that reads its output. A named pipe connects them, so that the bytes do not
 * pass through the agent.
 */
async function joinByPipe(
  unpacking: Command,
  command: Command,
  onZstd: (line: string) => void,
  onMessage: (line: string) => void,
  { children, ports }: Pick<RestoreContext, "children" | "ports">,
): Promise<Joined> {
  const path = `${ports.workDirectory}/pipe`;
  await makeFifo(path, null, children);
  const zstd = children.spawn({
    ...unpacking,
    redirects: [{ descriptor: 1, direction: ">", path }],
  }, { stdin: "piped", stdout: "null", onMessage: onZstd });
  const program = children.spawn({
    ...command,
    redirects: [...command.redirects ?? [], { descriptor: 0, direction: "<", path }],
  }, { stdout: "null", onMessage });
  const joined = async () => {
    await Promise.allSettled([releaseAfter([zstd, program], path), zstd.exited, program.exited]);
    await Deno.remove(path);
  };
  return { zstd, program, joined: joined() };
}

function joinByRewrite(
  unpacking: Command,
  command: Command,
  onZstd: (line: string) => void,
  onMessage: (line: string) => void,
  { children, rewrite }: Pick<RestoreContext, "children"> & { rewrite: Rewrite },
): Joined {
  const zstd = children.spawn(unpacking, { stdin: "piped", stdout: "piped", onMessage: onZstd });
  const program = children.spawn(command, { stdin: "piped", stdout: "null", onMessage });
  return { zstd, program, joined: program.feed(rewrite(zstd.stdout!)) };
}
