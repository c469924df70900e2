/**
 * Connects a source's program and the compressor by a FIFO. So the uncompressed bytes do not pass through the
 * agent. The exit and messages of each program are still handled separately.
 */
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import type { DirectWriting } from "../ports.ts";
import type { Progress } from "./progress.ts";
import type { Take } from "../programs/double_buffer.ts";
import type { RunContext } from "../run_context.ts";
import type { SourcePart } from "../sources/source.ts";
import { LineCount } from "../programs/line_count.ts";
import { startCompression } from "../transforms/compress.ts";

/**
 * Compresses one part and calls `take` with the compressed bytes. If `direct` is given, the compressor itself
 * writes the object's file, and `take` is called with the bytes that are already written.
 *
 * Resolves once the compressor and the source's program have succeeded. The result is the number of files;
 * null if the source does not count files. If several steps fail, rejects with one error. The error of `take`
 * comes first, then that of the compressor, then that of the source's program.
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
  let failed: unknown = null;
  // Once the source has failed, drop the remaining bytes: they are not stored.
  const takeIfKept: Take = (chunk) => failed === null ? take(chunk) : undefined;
  const compression = startCompression(
    { from: fifo, into: direct?.path ?? null, take: takeIfKept, clock: ports.clock },
    context,
  );
  const { command, streamDescriptor: descriptor } = part;
  const producer = children.spawn(
    { ...command, redirects: [...(command.redirects ?? []), { descriptor, direction: ">", path: fifo }] },
    {
      stdin: part.input === undefined ? "null" : "piped",
      stdout: "null",
      onMessage: (line) => part.message(line),
    },
  );
  // If the input cannot be fed completely, stop the program. Otherwise the program might succeed, because it
  // cannot see that its input is incomplete.
  const feeding = part.input === undefined ? Promise.resolve() : producer.feed(part.input());
  feeding.catch(() => producer.stop());
  progress.begin({ pid: compression.pid, index });
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
  const results = await Promise.allSettled([compression.streamed, compression.finished, produced]);
  await Deno.remove(fifo);
  ports.signal.throwIfAborted();
  // pzstd does not report why its write failed. `findFault` finds the reason and throws it.
  if (results[1].status === "rejected") await direct?.findFault();
  for (const result of results) if (result.status === "rejected") throw result.reason;
  if (failed !== null) throw failed;
  return index?.count ?? null;
}
