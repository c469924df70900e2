/** A whole archive, unpacked by zstd into a program that makes something of it. */
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { Child, Command, Exit } from "../programs/children.ts";
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore_context.ts";

/** Changes a dump on its way into the program. */
export type Rewrite = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/**
 * Resolves with the program's exit. Where that is 0, the program had all of the archive, which is proven to
 * be the one that was stored. Rejects where the archive is at fault: with a `BackupDamagedError` where it is
 * not the one that was stored.
 */
export async function feedUnpacked(
  archive: StoredObject,
  command: Command,
  onMessage: (line: string) => void,
  { children, objects, ports }: Pick<RestoreContext, "children" | "objects" | "ports">,
  rewrite: Rewrite | null = null,
): Promise<Exit> {
  let said: string | null = null;
  const unpacking: Command = { program: "zstd", args: ["-d", "-q", "-c"] };
  const onZstd = (line: string) => void (said ??= line.replace(/^zstd: /, ""));
  const { zstd, program, joined } = rewrite === null
    ? await joinByPipe(unpacking, command, onZstd, onMessage, { children, ports })
    : joinByRewrite(unpacking, command, onZstd, onMessage, { children, rewrite });
  const fed = zstd.feed(objects.whole(archive));
  const [feeding, joining] = await Promise.allSettled([fed, joined, zstd.exited, program.exited]);
  ports.signal.throwIfAborted();
  const blamed = (error: unknown) => objects.diagnose(archive, error);
  if (feeding.status === "rejected") throw await blamed(feeding.reason);
  if (joining.status === "rejected") throw joining.reason;
  const unpacked = await zstd.exited;
  const exit = await program.exited;
  if (unpacked.code === 0) return exit;
  // A program that gave up takes zstd with it: then the program has the reason.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(said ?? "");
  if (!isCut) {
    throw await blamed(new RunFailedError(`${archive.name} does not unpack: ${said ?? "zstd failed"}`));
  }
  if (exit.code !== 0) return exit;
  throw await blamed(new RunFailedError(`${archive.name} holds more than ${command.program} took of it`));
}

interface Joined {
  zstd: Child;
  program: Child;
  /** Settles once the program has had what zstd wrote, or has ended. */
  joined: Promise<void>;
}

/** The bytes stay in the kernel. */
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
