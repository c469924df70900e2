/**
 * A source's program and the compressor, joined by a FIFO: the uncompressed bytes never leave the kernel, and
 * each program's exit and messages are its own.
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
 * Streams one part, compressed, into `take`; where there is a file to write into directly, the compressor
 * does that, and `take` sees what it has written. Resolves with the number of files stored, where the source
 * counts them, once both programs have ended well; otherwise rejects with the reason that came first in the
 * chain: `take`'s, the compressor's, the source's.
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
  // A program whose input was cut would end as well as one that got all of it.
  const fed = part.input === undefined ? Promise.resolve() : producer.feed(part.input());
  fed.catch(() => producer.stop());
  progress.begin({ pid: compressor.child.pid, index });
  let failed: unknown = null;
  const released = releaseAfter([producer], fifo);
  const check = async () => {
    try {
      const exit = await producer.exited;
      await index?.update();
      await fed;
      part.checkExit(exit, index?.count ?? 0);
    } catch (error) {
      failed = error;
    }
  };
  const produced = Promise.all([released, check()]);
  // Nothing more is sent of what will not be kept.
  const takeIfKept: Take = (chunk) => failed === null ? take(chunk) : undefined;
  const onFailure = children.stop;
  const pumped = direct === null
    ? readDoubleBuffered(compressor.child.stdout!, takeIfKept, onFailure)
    : tail(direct.path, compressor.child.exited, ports.clock, takeIfKept, onFailure);
  const results = await Promise.allSettled([pumped, compressor.finished, produced]);
  await Deno.remove(fifo);
  ports.signal.throwIfAborted();
  // pzstd does not say why it could not write; the file does.
  if (results[1].status === "rejected") await direct?.findFault();
  for (const result of results) if (result.status === "rejected") throw result.reason;
  if (failed !== null) throw failed;
  return index?.count ?? null;
}

/** Compresses a small file into one beside it. Resolves with that one's path. */
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
  // Awaited together with the others, unless one of them can't be started.
  finished.catch(() => {});
  return { child, finished };
}

function checkCompressor(program: string, exit: Exit, message: string | null): void {
  if (exit.code === 0 && exit.signal === null) return;
  const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
  throw new RunFailedError(`Cannot compress: ${program} ${how}${message === null ? "" : `: ${message}`}`);
}
