/**
 * The last two frames of a pzstd stream and its first bytes, kept in memory or found again in the file they
 * are in.
 */

/** Enough for the first block of the first frame, which is all that can be unpacked of it alone. */
const HEAD_BYTES = 132 * 1024;
/** What is handed out at once. */
const PIECE_BYTES = 256 * 1024;
/** Frames of one stream differ a little in size: buffers are made a little larger, to be used again. */
const ROUNDING = 1024 * 1024;

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface FrameStore {
  /** A frame of `size` bytes starts, `offset` bytes into the stream. */
  begin(offset: number, size: number): void;
  /** The next bytes of the frame that began last. */
  append(piece: Uint8Array): void;
  /** Compressed bytes of a whole frame, in pieces that may be used until the next is asked for. */
  last(): Pieces;
  previous(): Pieces;
  /** The first bytes of the first frame. */
  head(): Pieces;
}

/** For streams that go elsewhere: 17 MB at most. */
export class KeptFrames implements FrameStore {
  #current = new Buffer();
  #previous = new Buffer();
  readonly #head = new Buffer();
  #isFirst = true;

  begin(_offset: number, size: number): void {
    this.#isFirst = this.#head.bytes.length === 0;
    [this.#previous, this.#current] = [this.#current, this.#previous];
    this.#current.clear(size);
    if (this.#isFirst) this.#head.clear(Math.min(size, HEAD_BYTES));
  }

  append(piece: Uint8Array): void {
    this.#current.append(piece);
    if (this.#isFirst) this.#head.append(piece.subarray(0, HEAD_BYTES - this.#head.bytes.length));
  }

  last(): Pieces {
    return inPieces(this.#current.bytes);
  }

  previous(): Pieces {
    return inPieces(this.#previous.bytes);
  }

  head(): Pieces {
    return [this.#head.bytes];
  }
}

/** For a stream that is written to a file of this server: nothing is kept. */
export class FiledFrames implements FrameStore {
  #first: Span | null = null;
  #previous: Span = { offset: 0, size: 0 };
  #current: Span = { offset: 0, size: 0 };

  constructor(private readonly path: string) {}

  begin(offset: number, size: number): void {
    this.#previous = this.#current;
    this.#current = { offset, size };
    this.#first ??= this.#current;
  }

  append(): void {}

  last(): Pieces {
    return this.#read(this.#current);
  }

  previous(): Pieces {
    return this.#read(this.#previous);
  }

  head(): Pieces {
    const { offset, size } = this.#first ?? this.#current;
    return this.#read({ offset, size: Math.min(size, HEAD_BYTES) });
  }

  async *#read({ offset, size }: Span): AsyncIterable<Uint8Array> {
    using file = await Deno.open(this.path);
    await file.seek(offset, Deno.SeekMode.Start);
    const buffer = new Uint8Array(PIECE_BYTES);
    for (let left = size; left > 0;) {
      const length = await file.read(buffer.subarray(0, Math.min(left, PIECE_BYTES)));
      // A file that became shorter: the frame then does not unpack.
      if (length === null) return;
      yield buffer.subarray(0, length);
      left -= length;
    }
  }
}

interface Span {
  offset: number;
  size: number;
}

/** Bytes in memory that is used again. */
class Buffer {
  #memory = new Uint8Array(0);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Forgets what it holds, and makes room. */
  clear(size: number): void {
    this.#length = 0;
    if (size > this.#memory.length) this.#memory = new Uint8Array(Math.ceil(size / ROUNDING) * ROUNDING);
  }

  append(piece: Uint8Array): void {
    this.#memory.set(piece, this.#length);
    this.#length += piece.length;
  }
}

function* inPieces(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
