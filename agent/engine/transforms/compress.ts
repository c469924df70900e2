/**
 * Zstandard compression by the `zstd` package's programs: `pzstd` for archives, `zstd` for small files. The
 * uncompressed bytes stay in a kernel pipe between the source's program and the compressor; the agent only
 * handles compressed bytes. These programs can't store bytes uncompressed, so at level 0 the agent itself
 * writes frames in pzstd's format.
 */
import { Buffer } from "node:buffer";
import * as zlib from "node:zlib";
import type { Clock } from "../../../src/domain/clock.ts";
import type { JobOptions } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";
import type { Children, Command, Exit } from "../programs/children.ts";
import { readDoubleBuffered, type Take } from "../programs/double_buffer.ts";
import { tail } from "../programs/tail.ts";
import type { RunContext } from "../run_context.ts";

/** The manifest's description of archives. */
export const COMPRESSION = "zstd, independent frames as pzstd writes them";

/**
 * Maximum numbers of threads, by the highest level to which they apply. With more than 8, tar is the
 * bottleneck. Above level 9 each thread needs much memory: up to 70 MB, 90 MB and 170 MB.
 */
const MAX_THREADS = [[9, 8], [12, 3], [16, 2], [Infinity, 1]] as const;

/** Uncompressed bytes of a frame at level 0. */
const STORED_FRAME_BYTES = 2 * 1024 * 1024;
/** Header of a skippable frame with four bytes of content, in which pzstd writes the next frame's size. */
const SIZE_HEADER = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0];
const { constants, zstdCompressSync } = zlib as unknown as Zstd;
/** At its lowest level zstd stores blocks as they are, except for runs of one byte. */
const STORED = {
  params: { [constants.ZSTD_c_compressionLevel]: -131_072, [constants.ZSTD_c_checksumFlag]: 1 },
};

/** Parts of `node:zlib` that its types lack. */
interface Zstd {
  readonly constants: Readonly<Record<"ZSTD_c_compressionLevel" | "ZSTD_c_checksumFlag", number>>;
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
}

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
  /**
   * An existing file that the compressor writes itself; `take` is called with what it has written. Null at
   * level 0.
   */
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

/** Returns whether archives are compressed. Otherwise they are stored in frames of the same format. */
export function isCompressed({ compression_level }: JobOptions): boolean {
  return compression_level !== 0;
}

/** Compresses in independent frames, each preceded by a skippable frame with its size. */
export function startCompression(
  { from, into, take, clock }: CompressionStreams,
  { options, children }: Pick<RunContext, "options" | "children">,
): Compression {
  const isStored = !isCompressed(options);
  const { child, finished } = start(isStored ? readAll(from) : pzstd(from, into, options), children);
  const streamed = isStored
    ? storeFrames(child.stdout!, take, children.stop)
    : into === null
    ? readDoubleBuffered(child.stdout!, take, children.stop)
    : tail(into, child.exited, clock, take, children.stop);
  // Prevents unhandled rejections if the source's program can't be started and nothing awaits these.
  streamed.catch(() => {});
  return { pid: child.pid, streamed, finished };
}

function pzstd(from: string, into: string | null, options: JobOptions): Command {
  const { compression_level: level, compression_threads } = options;
  const limit = MAX_THREADS.find(([highest]) => level <= highest)![1];
  const threads = Math.min(navigator.hardwareConcurrency, compression_threads ?? limit);
  return {
    program: "pzstd",
    args: ["-q", `-${level}`, "-p", String(threads), "-c"],
    env: KEEP_BUFFERS,
    redirects: [
      { descriptor: 0, direction: "<", path: from },
      ...(into === null ? [] : [{ descriptor: 1, direction: ">" as const, path: into }]),
    ],
  };
}

/**
 * Reads a FIFO through a program, so that reading ends with the run's other programs and its progress is
 * observed.
 */
function readAll(path: string): Command {
  return { program: "cat", args: [], redirects: [{ descriptor: 0, direction: "<", path }] };
}

/** Calls `take` with frames that store the bytes uncompressed. */
async function storeFrames(
  stdout: ReadableStream<Uint8Array>,
  take: Take,
  onFailure: () => void,
): Promise<void> {
  const frame = new Uint8Array(STORED_FRAME_BYTES);
  let length = 0;
  let isFirst = true;
  const flush = async () => {
    const stored = zstdCompressSync(frame.subarray(0, length), STORED);
    const header = Buffer.from([...SIZE_HEADER, 0, 0, 0, 0]);
    header.writeUInt32LE(stored.length, SIZE_HEADER.length);
    length = 0;
    isFirst = false;
    await take(header);
    await take(stored);
  };
  const fill = async (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + frame.length - length);
      frame.set(piece, length);
      at += piece.length;
      length += piece.length;
      if (length === frame.length) await flush();
    }
  };
  await readDoubleBuffered(stdout, fill, onFailure);
  // As with pzstd, only the last frame may be shorter. An empty stream becomes an empty frame.
  if (length > 0 || isFirst) await flush();
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
