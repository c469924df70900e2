/**
 * Compresses with the programs of the `zstd` package: `pzstd` for archives, `zstd` for small files. The
 * uncompressed bytes go from the source's program to the compressor through a kernel pipe. So the agent
 * handles only compressed bytes.
 *
 * Level 0 is different: the programs can't store bytes uncompressed, so the agent itself writes frames in
 * pzstd's format.
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

/** Description of an archive's format in the manifest. */
export const COMPRESSION = "zstd, independent frames as pzstd writes them";

/**
 * Pairs of a compression level and a maximum number of threads. The first pair with at least the used level
 * applies. With more than 8 threads, tar is the bottleneck. Above level 9, each thread needs much memory: up
 * to 70 MB until level 12, 90 MB until level 16, and 170 MB above level 16.
 */
const MAX_THREADS = [[9, 8], [12, 3], [16, 2], [Infinity, 1]] as const;

/** Number of uncompressed bytes in a frame at level 0. */
const STORED_FRAME_BYTES = 2 * 1024 * 1024;
/**
 * Header of a skippable frame with four bytes of content. pzstd writes the size of the next frame into these
 * bytes.
 */
const SIZE_HEADER = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0];
const { constants, zstdCompressSync } = zlib as unknown as Zstd;
/**
 * Options of zstd's lowest level. At this level, zstd compresses only repetitions of a single byte. It stores
 * other blocks as they are.
 */
const STORED = {
  params: { [constants.ZSTD_c_compressionLevel]: -131_072, [constants.ZSTD_c_checksumFlag]: 1 },
};

/** The parts of `node:zlib` that its type definitions lack. */
interface Zstd {
  readonly constants: Readonly<Record<"ZSTD_c_compressionLevel" | "ZSTD_c_checksumFlag", number>>;
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
}

/**
 * Environment variables that make the C library keep freed memory, see mallopt(3). pzstd continuously
 * allocates and frees buffers of 128 KiB. Without these variables, the C library would map and unmap each
 * buffer. The variables save a fourteenth of the time and a third of the kernel's work.
 */
const KEEP_BUFFERS = { MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "268435456" };

/** The source of the uncompressed bytes and the destination of the compressed bytes. */
export interface CompressionStreams {
  /** Path of a FIFO or file with the uncompressed bytes. */
  readonly from: string;
  /**
   * Path of an existing file to which the compressor itself writes the archive. `take` then gets bytes that
   * are already in the file. Null if the agent writes the archive. At level 0, the agent always writes it.
   */
  readonly into: string | null;
  /** Called with the compressed bytes, in order and one at a time. */
  readonly take: Take;
  readonly clock: Clock;
}

/** A running compressor. */
export interface Compression {
  /** Process id of the program that reads the uncompressed bytes. */
  readonly pid: number;
  /** Resolves when `take` has handled the last byte. If `take` rejects, the run's programs are stopped. */
  readonly streamed: Promise<void>;
  /** Resolves when the compressor has succeeded. Rejects if it fails. */
  readonly finished: Promise<void>;
}

/**
 * Returns whether archives are compressed. Archives that are not compressed are stored in frames of the same
 * format.
 */
export function isCompressed({ compression_level }: JobOptions): boolean {
  return compression_level !== 0;
}

/**
 * Starts a compressor that makes independent frames. In front of each frame is a skippable frame that
 * contains the frame's size.
 */
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
  // Prevents an unhandled rejection if the source's program can't be started and nothing awaits `streamed`.
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
 * Returns a command that copies a FIFO to its stdout. The agent does not read the FIFO itself, for two
 * reasons: a separate program ends with the run's other programs, and its progress can be observed.
 */
function readAll(path: string): Command {
  return { program: "cat", args: [], redirects: [{ descriptor: 0, direction: "<", path }] };
}

/** Calls `take` with frames that contain the bytes uncompressed. */
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
  // Write the last frame. It can be shorter than the frames before it, as with pzstd. For an empty stream,
  // write an empty frame.
  if (length > 0 || isFirst) await flush();
}

/**
 * Compresses a small file in one frame, into a new file next to it. Resolves with the path of the new file.
 */
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
