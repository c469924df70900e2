/**
 * Connects a source's program and the compressor by a FIFO. The uncompressed bytes stay in the kernel, and
 * each program's exit and messages are handled separately.
 */
import type { Exit } from "../programs/children.ts";
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import { tail } from "../programs/tail.ts";
import { type DirectWriting, RunFailedError } from "../ports.ts";
import type { Progress } from "./progress.ts";
import { readDoubleBuffered, type Take } from "../programs/double_buffer.ts";
import type { RunContext } from "../run_context.ts";
import type { SourcePart } from "../sources/source.ts";
import { LineCount } from "../programs/line_count.ts";
import { compressFramed, compressPlain } from "../transforms/compress.ts";

/**
 * Compresses one part and calls `take` with the compressed bytes. With `direct`, the compressor writes to
 * that file itself, and `take` is called with the bytes that it has written. Resolves once both programs have
 * succeeded, with the number of files if the source counts them. Otherwise rejects with the first of these
 * errors: `take`'s, the compressor's, the source's.
 */
export async function streamPart(
  part: SourcePart,
  context: RunContext,
  progress: Progress,
  take: Take,
  direct: DirectWriting | null,
): Promise<number | null> {
  const { children, ports } = context;
  const fifo = `${ports.workDirectory}/pipe`;
  await makeFifo(fifo, part.command.user ?? null, children);
  await using index = part.index === null ? null : new LineCount(part.index.path, part.index.rootLines);
  const compressor = startCompressor(compressFramed(fifo, direct?.path ?? null), context);
  const { command, streamDescriptor: descriptor } = part;
  const producer = children.spawn(
    { ...command, redirects: [...(command.redirects ?? []), { descriptor, direction: ">", path: fifo }] },
    {
      stdin: part.input === undefined ? "null" : "piped",
      stdout: "null",
      onMessage: (line) => part.message(line),
    },
  );
  // Stop a program whose input is incomplete, because it might end successfully.
  const feeding = part.input === undefined ? Promise.resolve() : producer.feed(part.input());
  feeding.catch(() => producer.stop());
  progress.begin({ pid: compressor.child.pid, index });
  let failed: unknown = null;
  const released = releaseAfter([producer], fifo);
  const check = async () => {
    try {
      const exit = await producer.exited;
      await index?.update();
      await feeding;
      part.checkExit(exit, index?.count ?? 0);
    } catch (error) {
      failed = error;
    }
  };
  const produced = Promise.all([released, check()]);
  // Once the source has failed, drop the remaining bytes instead of storing them.
  const takeIfKept: Take = (chunk) => failed === null ? take(chunk) : undefined;
  const onFailure = children.stop;
  const streamed = direct === null
    ? readDoubleBuffered(compressor.child.stdout!, takeIfKept, onFailure)
    : tail(direct.path, compressor.child.exited, ports.clock, takeIfKept, onFailure);
  const results = await Promise.allSettled([streamed, compressor.finished, produced]);
  await Deno.remove(fifo);
  ports.signal.throwIfAborted();
  // pzstd does not report why writing failed, so find the reason from the file.
  if (results[1].status === "rejected") await direct?.findFault();
  for (const result of results) if (result.status === "rejected") throw result.reason;
  if (failed !== null) throw failed;
  return index?.count ?? null;
}

/** Compresses a small file into a new file next to it. Resolves with the new file's path. */
export async function compressFile(path: string, context: RunContext): Promise<string> {
  const into = `${path}.zst`;
  await Deno.writeFile(into, new Uint8Array(0), { mode: 0o600 });
  await startCompressor(compressPlain(path, into), context).finished;
  return into;
}

function startCompressor(command: ReturnType<typeof compressFramed>, { children }: RunContext) {
  let lastMessage: string | null = null;
  const stdout = command.redirects?.some(({ descriptor }) => descriptor === 1) ? "null" : "piped";
  const child = children.spawn(command, { stdout, onMessage: (line) => lastMessage = line });
  const finished = child.exited.then((exit) => checkCompressor(command.program, exit, lastMessage));
  // Prevents an unhandled rejection if the source's program can't be started and nothing awaits this.
  finished.catch(() => {});
  return { child, finished };
}

function checkCompressor(program: string, exit: Exit, message: string | null): void {
  if (exit.code === 0 && exit.signal === null) return;
  const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
  throw new RunFailedError(`Cannot compress: ${program} ${how}${message === null ? "" : `: ${message}`}`);
}
