/**
 * Finds and unpacks the last frames of a pzstd stream. In front of every frame is a skippable frame that
 * contains the frame's compressed size: see zstd's contrib/pzstd/README.md. So the last frames can be found
 * in the compressed bytes and unpacked alone. This makes it possible to check the end of a program's output
 * without reading the rest again.
 */
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { readDoubleBuffered } from "../programs/double_buffer.ts";
import { finishStages } from "../programs/stages.ts";
import { FileFrames, type FrameStore, MemoryFrames, type Pieces } from "./frame_store.ts";

export const HEADER_BYTES = 12;
const SKIPPABLE_MAGIC = 0x184d2a50;
/**
 * Maximum uncompressed size of a frame in bytes. pzstd's frames contain 2 to 32 MB, so a larger frame was not
 * written by pzstd.
 */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/**
 * A frame counts as incompressible if its ratio of compressed to uncompressed size is at least this number.
 * The contents of such a frame were already compressed or encrypted. The number is below 1, because the tar
 * headers between small files compress even if the files don't.
 */
const INCOMPRESSIBLE = 0.9;
/** Number of uncompressed bytes that are kept from the end of the stream. */
const TAIL_BYTES = 64 * 1024;
/**
 * Length in bytes of the checksum at the end of a frame. The checksum is the low half of the uncompressed
 * content's XXH64, little-endian (RFC 8878, 3.1.1).
 */
const CHECKSUM_BYTES = 4;

/** Collects the checksum of a frame while the frame arrives in chunks. */
export class FrameChecksum {
  readonly #bytes = new Uint8Array(CHECKSUM_BYTES);

  /** @param left Number of bytes of the frame that follow this chunk. */
  push(piece: Uint8Array, left: number): void {
    const end = CHECKSUM_BYTES - left;
    if (end <= 0) return;
    const last = piece.subarray(-end);
    this.#bytes.set(last, end - last.length);
  }

  /** Returns the checksum of a complete frame as eight hex digits, as `zstd -lv` prints it. */
  toString(): string {
    return new DataView(this.#bytes.buffer).getUint32(0, true).toString(16).padStart(2 * CHECKSUM_BYTES, "0");
  }
}

/** Parses the frames of a pzstd stream while it is written or read. */
export class FrameWatch {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  /** Number of bytes of the current frame that have not arrived. */
  #missing = 0;
  readonly #sizes: number[] = [];
  /** Number of bytes of the stream so far. */
  #offset = 0;
  readonly #store: FrameStore;
  readonly #checksum = new FrameChecksum();
  /** Checksums of the frames that have arrived completely. */
  readonly #checksums: string[] = [];

  /**
   * @param path The file that contains the stream. If the path is null, the last frames are kept in memory.
   */
  constructor(path: string | null = null) {
    this.#store = path === null ? new MemoryFrames() : new FileFrames(path);
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const wanted = this.#missing > 0 ? this.#missing : HEADER_BYTES - this.#headerLength;
      const piece = chunk.subarray(at, at + wanted);
      at += piece.length;
      this.#offset += piece.length;
      if (this.#missing === 0) this.#readHeader(piece);
      else {
        this.#store.append(piece);
        this.#missing -= piece.length;
        this.#checksum.push(piece, this.#missing);
        if (this.#missing === 0) this.#checksums.push(String(this.#checksum));
      }
    }
  }

  /**
   * Unpacks the last two frames and returns the stream's end and sizes. The stream must have ended. Rejects
   * if the stream is truncated or damaged.
   */
  async end(children: Children): Promise<StreamEnd> {
    if (this.#missing > 0 || this.#headerLength > 0 || this.#sizes.length === 0) {
      throw new RunFailedError("Cannot trust the archive: the compressed stream was cut short");
    }
    const [previous, last] = await Promise.all([
      this.#sizes.length === 1 ? { size: 0, tail: new Tail() } : unpack(children, this.#store.previous()),
      unpack(children, this.#store.last()),
    ]);
    previous.tail.push(last.tail.bytes);
    // All frames but the last have the same uncompressed size.
    const whole = previous.size;
    const incompressible = this.#sizes.slice(0, -1).filter((size) => size >= INCOMPRESSIBLE * whole).length;
    const isLastIncompressible = last.size > 0 && this.#sizes.at(-1)! >= INCOMPRESSIBLE * last.size;
    return {
      size: (this.#sizes.length - 1) * whole + last.size,
      incompressible: incompressible * whole + (isLastIncompressible ? last.size : 0),
      tail: previous.tail.bytes,
      frames: {
        uncompressed: this.#sizes.length === 1 ? last.size : whole,
        compressed: this.#sizes,
        checksums: this.#checksums,
      },
    };
  }

  /** Returns the uncompressed bytes of the stream's first block. */
  async start(children: Children): Promise<Uint8Array> {
    let head = new Uint8Array(0);
    await decompress(children, this.#store.head(), (chunk) => {
      if (head.length === 0) head = chunk.slice();
    });
    return head;
  }

  #readHeader(piece: Uint8Array): void {
    this.#header.set(piece, this.#headerLength);
    this.#headerLength += piece.length;
    if (this.#headerLength < HEADER_BYTES) return;
    this.#headerLength = 0;
    const view = new DataView(this.#header.buffer);
    this.#missing = view.getUint32(8, true);
    if (view.getUint32(0, true) !== SKIPPABLE_MAGIC || view.getUint32(4, true) !== 4 || this.#missing === 0) {
      throw new RunFailedError("Cannot read pzstd's output: its frames are not preceded by their size");
    }
    if (this.#missing > MAX_FRAME_BYTES) {
      throw new RunFailedError(`Cannot read pzstd's output: a frame of ${this.#missing} bytes is too large`);
    }
    this.#store.begin(this.#offset, this.#missing);
    this.#sizes.push(this.#missing);
  }
}

export interface StreamEnd {
  /** Uncompressed size of the whole stream in bytes. */
  size: number;
  /** Uncompressed size of all incompressible frames together, in bytes. `size` includes it. */
  incompressible: number;
  /** The last 64 KiB of the uncompressed stream, or all of it if it is shorter. */
  tail: Uint8Array;
  frames: Frames;
}

/** Sizes and checksums of frames. Sizes are in bytes and do not include the header in front of each frame. */
export interface Frames {
  /** Uncompressed size of each frame. Only the last frame might be smaller. */
  uncompressed: number;
  /** Compressed size of each frame, in order. */
  compressed: number[];
  /** Checksum of each frame as {@link FrameChecksum} formats it; null if the checksums are unknown. */
  checksums: string[] | null;
}

/** Collects the last `TAIL_BYTES` bytes of a stream. */
class Tail {
  readonly #buffer = new Uint8Array(TAIL_BYTES);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  push(chunk: Uint8Array): void {
    const piece = chunk.subarray(-TAIL_BYTES);
    const kept = Math.min(this.#length, TAIL_BYTES - piece.length);
    this.#buffer.copyWithin(0, this.#length - kept, this.#length);
    this.#buffer.set(piece, kept);
    this.#length = kept + piece.length;
  }
}

/** Unpacks a frame. Returns its uncompressed size and its last bytes. */
async function unpack(children: Children, frame: Pieces): Promise<{ size: number; tail: Tail }> {
  let size = 0;
  const tail = new Tail();
  const whole = await decompress(children, frame, (chunk) => {
    size += chunk.length;
    tail.push(chunk);
  });
  if (!whole) throw new RunFailedError("Cannot trust the archive: its last frames do not unpack");
  return { size, tail };
}

/**
 * Unpacks a frame and calls `take` with the unpacked bytes. Resolves with true if the frame is complete and
 * undamaged. Otherwise resolves with false, and `take` has got only the bytes that could be unpacked.
 */
async function decompress(
  children: Children,
  frame: Pieces,
  take: (chunk: Uint8Array) => void,
): Promise<boolean> {
  await using programs = children.nest();
  const zstd = programs.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: () => {},
  });
  const read = readDoubleBuffered(zstd.stdout!, take, () => zstd.stop());
  await finishStages(programs, [read, zstd.feed(frame), zstd.exited]);
  const { code } = await zstd.exited;
  return code === 0;
}
