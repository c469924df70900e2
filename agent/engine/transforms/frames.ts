/**
 * The end of a pzstd stream. Every frame is preceded by a skippable frame that holds its compressed size (zstd's
 * contrib/pzstd/README.md), so the last frames can be told from the compressed bytes alone and unpacked by
 * themselves: what a program wrote last is checked without a second look at the rest.
 */
import type { Child, Children } from "../children.ts";
import { RunFailedError } from "../ports.ts";

const HEADER_BYTES = 12;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** A frame holds 8 MB; more than this is no pzstd stream. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/** Enough for the first block of the first frame, which is all that can be unpacked of it alone. */
const HEAD_BYTES = 132 * 1024;
/** What is kept of the unpacked end. */
const TAIL_BYTES = 64 * 1024;

/** Watches a pzstd stream go by. Holds the last two frames and the first bytes: 17 MB at most. */
export class FrameWatch {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  /** Bytes of the current frame still to come. */
  #missing = 0;
  #frames = 0;
  #current = new Frame();
  #previous = new Frame();
  readonly #head = new Frame();

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const wanted = this.#missing > 0 ? this.#missing : HEADER_BYTES - this.#headerLength;
      const piece = chunk.subarray(at, at + wanted);
      if (this.#missing > 0) this.#append(piece);
      else this.#readHeader(piece);
      at += piece.length;
    }
  }

  /** Call when the stream has ended. Rejects where it is cut short or damaged. */
  async end(children: Children): Promise<StreamEnd> {
    if (this.#missing > 0 || this.#headerLength > 0 || this.#frames === 0) {
      throw new RunFailedError("Cannot trust the archive: the compressed stream was cut short");
    }
    const last = await unpack(children, this.#current.bytes);
    if (this.#frames === 1) return { size: last.size, tail: last.tail };
    // Only the last frame may hold less than the others.
    const previous = await unpack(children, this.#previous.bytes);
    return {
      size: (this.#frames - 1) * previous.size + last.size,
      tail: concat(previous.tail, last.tail).slice(-TAIL_BYTES),
    };
  }

  /** The first uncompressed bytes, as many as the first block holds. */
  async start(children: Children): Promise<Uint8Array> {
    const { head } = await unpackAsFarAsItGoes(children, this.#head.bytes);
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
    [this.#previous, this.#current] = [this.#current, this.#previous];
    this.#current.clear();
    this.#frames++;
  }

  #append(piece: Uint8Array): void {
    this.#current.append(piece);
    if (this.#frames === 1) this.#head.append(piece.subarray(0, HEAD_BYTES - this.#head.bytes.length));
    this.#missing -= piece.length;
  }
}

export interface StreamEnd {
  /** Bytes of the whole stream, uncompressed. */
  size: number;
  /** The last uncompressed bytes, 64 KiB or all. */
  tail: Uint8Array;
}

/** Bytes in a buffer that is used again. */
class Frame {
  #buffer = new Uint8Array(0);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, this.#buffer.length * 2, 256 * 1024));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }
}

async function unpack(children: Children, frame: Uint8Array): Promise<{ size: number; tail: Uint8Array }> {
  const { ok, size, tail } = await unpackAsFarAsItGoes(children, frame);
  if (!ok) throw new RunFailedError("Cannot trust the archive: its last frames do not unpack");
  return { size, tail };
}

async function unpackAsFarAsItGoes(children: Children, frame: Uint8Array) {
  const child = children.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: () => {},
  });
  const [ends, exit] = await Promise.all([readEnds(child), child.exited, child.feed([frame])]);
  return { ...ends, ok: exit.code === 0 };
}

async function readEnds(child: Child): Promise<{ size: number; head: Uint8Array; tail: Uint8Array }> {
  let size = 0;
  let head: Uint8Array = new Uint8Array(0);
  let tail: Uint8Array = new Uint8Array(0);
  for await (const chunk of child.stdout!) {
    if (size === 0) head = chunk;
    size += chunk.length;
    tail = concat(tail, chunk).slice(-TAIL_BYTES);
  }
  return { size, head, tail };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
