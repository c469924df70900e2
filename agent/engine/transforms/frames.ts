/**
 * The end of a pzstd stream. Every frame is preceded by a skippable frame that holds its compressed size
 * (zstd's contrib/pzstd/README.md), so the last frames can be told from the compressed bytes alone and
 * unpacked by themselves: what a program wrote last is checked without a second look at the rest.
 */
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { readDoubleBuffered } from "../programs/double_buffer.ts";
import { finishStages } from "../programs/stages.ts";
import { FiledFrames, type FrameStore, KeptFrames, type Pieces } from "./frame_store.ts";

export const HEADER_BYTES = 12;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** A frame holds 8 MB; more than this is no pzstd stream. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/**
 * Uncompressed, of every frame but the last: four times the window of the level that archives are compressed
 * with.
 */
const FRAME_BYTES = 8 * 1024 * 1024;
/**
 * A frame that keeps this much of its size holds what was compressed or encrypted before. Not nearer to 1:
 * what tar writes around small files compresses even where they don't.
 */
const INCOMPRESSIBLE = 0.9;
/** What is kept of the unpacked end. */
const TAIL_BYTES = 64 * 1024;
/**
 * At the end of a frame, of what it holds uncompressed: the low half of its XXH64, little-endian (RFC 8878,
 * 3.1.1).
 */
const CHECKSUM_BYTES = 4;

/** The checksum of a frame that goes by in pieces. */
export class FrameChecksum {
  readonly #bytes = new Uint8Array(CHECKSUM_BYTES);

  /** @param left Bytes of the frame behind the piece. */
  push(piece: Uint8Array, left: number): void {
    const end = CHECKSUM_BYTES - left;
    if (end <= 0) return;
    const last = piece.subarray(-end);
    this.#bytes.set(last, end - last.length);
  }

  /** Once the frame is whole: eight hex digits, as `zstd -lv` prints it. */
  toString(): string {
    return new DataView(this.#bytes.buffer).getUint32(0, true).toString(16).padStart(2 * CHECKSUM_BYTES, "0");
  }
}

/** Watches a pzstd stream go by. */
export class FrameWatch {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  /** Bytes of the current frame still to come. */
  #missing = 0;
  readonly #sizes: number[] = [];
  /** Compressed bytes of the current frame. */
  #size = 0;
  /** Frames before the current one that did not compress. */
  #incompressible = 0;
  /** Bytes seen. */
  #offset = 0;
  readonly #store: FrameStore;
  readonly #checksum = new FrameChecksum();
  /** Of the frames that are whole. */
  readonly #checksums: string[] = [];

  /**
   * @param path The file that the stream is in, where there is one; else the last frames are kept in memory.
   */
  constructor(path: string | null = null) {
    this.#store = path === null ? new KeptFrames() : new FiledFrames(path);
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

  /** Call when the stream has ended. Rejects where it is cut short or damaged. */
  async end(children: Children): Promise<StreamEnd> {
    if (this.#missing > 0 || this.#headerLength > 0 || this.#sizes.length === 0) {
      throw new RunFailedError("Cannot trust the archive: the compressed stream was cut short");
    }
    const [previous, last] = await Promise.all([
      this.#sizes.length === 1 ? { size: 0, tail: new Tail() } : unpack(children, this.#store.previous()),
      unpack(children, this.#store.last()),
    ]);
    previous.tail.push(last.tail.bytes);
    // Only the last frame may hold less than the others.
    const whole = previous.size;
    const isLastIncompressible = last.size > 0 && this.#size >= INCOMPRESSIBLE * last.size;
    return {
      size: (this.#sizes.length - 1) * whole + last.size,
      incompressible: this.#incompressible * whole + (isLastIncompressible ? last.size : 0),
      tail: previous.tail.bytes,
      frames: {
        uncompressed: this.#sizes.length === 1 ? last.size : whole,
        compressed: this.#sizes,
        checksums: this.#checksums,
      },
    };
  }

  /** The first uncompressed bytes, as many as the first block holds. */
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
    if (this.#size >= INCOMPRESSIBLE * FRAME_BYTES) this.#incompressible++;
    this.#size = this.#missing;
    this.#store.begin(this.#offset, this.#missing);
    this.#sizes.push(this.#missing);
  }
}

export interface StreamEnd {
  /** Bytes of the whole stream, uncompressed. */
  size: number;
  /** How many of them are in frames that did not compress. */
  incompressible: number;
  /** The last uncompressed bytes, 64 KiB or all. */
  tail: Uint8Array;
  frames: Frames;
}

/** Sizes are in bytes; nothing of the header before each frame is in them. */
export interface Frames {
  /** Size of every frame but the last, which may hold less. */
  uncompressed: number;
  /** Size of each, in order. */
  compressed: number[];
  /** Of each, as {@link FrameChecksum} writes it; null where they are not known. */
  checksums: string[] | null;
}

/** The last bytes of a stream. */
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

/** How many bytes the frame holds, and the last of them. */
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
 * Resolves with whether the bytes are a whole, undamaged frame; `take` gets what could be unpacked either
 * way.
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
