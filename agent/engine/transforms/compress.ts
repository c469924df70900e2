/**
 * Zstandard compression by the `zstd` package's programs: `pzstd` for archives, `zstd` for small files. The
 * uncompressed bytes stay in a kernel pipe between the source's program and the compressor; the agent only
 * handles compressed bytes.
 */
import type { Clock } from "../../../src/domain/clock.ts";
import { RunFailedError } from "../ports.ts";
import type { Children, Command, Exit } from "../programs/children.ts";
import { readDoubleBuffered, type Take } from "../programs/double_buffer.ts";
import { tail } from "../programs/tail.ts";
import type { RunContext } from "../run_context.ts";

/** The manifest's description of archives. */
export const COMPRESSION = "zstd, independent frames of 8 MB as pzstd writes them";

/** Limit of threads. With more, tar is the bottleneck, and each thread needs memory. */
const MAX_THREADS = 8;

/**
 * Makes the C library keep freed memory, mallopt(3). pzstd permanently allocates and frees buffers of
 * 128 KiB, which the C library would otherwise map and unmap each time. This saves a fourteenth of the time
 * and a third of the kernel's work.
 */
const KEEP_BUFFERS = { MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "268435456" };

/** The uncompressed bytes, and who gets the compressed ones. */
export interface CompressionStreams {
  /** A FIFO or file with the uncompressed bytes. */
  readonly from: string;
  /** An existing file that the compressor writes itself; `take` is called with what it has written. */
  readonly into: string | null;
  /** Called with the compressed bytes, in order and one at a time. */
  readonly take: Take;
  readonly clock: Clock;
}

/** A compressor at work. */
export interface Compression {
  /** The program that reads the uncompressed bytes. */
  readonly pid: number;
  /** Resolves when the last byte was taken. If `take` rejects, the run's programs are stopped. */
  readonly streamed: Promise<void>;
  /** Rejects if the compressor fails. */
  readonly finished: Promise<void>;
}

/** Compresses in independent frames, each preceded by a skippable frame with its size. */
export function startCompression(
  streams: CompressionStreams,
  { children }: Pick<RunContext, "children">,
): Compression {
  const { from, into, take, clock } = streams;
  const { child, finished } = start(pzstd(from, into), children);
  const streamed = into === null
    ? readDoubleBuffered(child.stdout!, take, children.stop)
    : tail(into, child.exited, clock, take, children.stop);
  // Prevents unhandled rejections if the source's program can't be started and nothing awaits these.
  streamed.catch(() => {});
  return { pid: child.pid, streamed, finished };
}

function pzstd(from: string, into: string | null): Command {
  const threads = Math.min(navigator.hardwareConcurrency, MAX_THREADS);
  return {
    program: "pzstd",
    args: ["-q", "-3", "-p", String(threads), "-c"],
    env: KEEP_BUFFERS,
    redirects: [
      { descriptor: 0, direction: "<", path: from },
      ...(into === null ? [] : [{ descriptor: 1, direction: ">" as const, path: into }]),
    ],
  };
}

/** Compresses a small file in one frame into a new file next to it. Resolves with the new file's path. */
export async function compressFile(path: string, children: Children): Promise<string> {
  const into = `${path}.zst`;
  await Deno.writeFile(into, new Uint8Array(0), { mode: 0o600 });
  const command: Command = {
    program: "zstd",
    args: ["-q", "-3", "-c"],
    redirects: [{ descriptor: 0, direction: "<", path }, { descriptor: 1, direction: ">", path: into }],
  };
  await start(command, children).finished;
  return into;
}

function start(command: Command, children: Children) {
  let lastMessage: string | null = null;
  const stdout = command.redirects?.some(({ descriptor }) => descriptor === 1) ? "null" : "piped";
  const child = children.spawn(command, { stdout, onMessage: (line) => lastMessage = line });
  const finished = child.exited.then((exit) => checkExit(command.program, exit, lastMessage));
  finished.catch(() => {});
  return { child, finished };
}

function checkExit(program: string, exit: Exit, message: string | null): void {
  if (exit.code === 0 && exit.signal === null) return;
  const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
  throw new RunFailedError(`Cannot compress: ${program} ${how}${message === null ? "" : `: ${message}`}`);
}
