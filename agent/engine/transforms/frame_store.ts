/**
 * Gives access to the last two frames and the first bytes of a pzstd stream. Keeps these bytes in memory, or
 * reads them from the file that contains the stream.
 */

/**
 * How many bytes at the start of the stream are kept, so that they can be read again. They contain the whole
 * first block of the first frame. This block can be unpacked without the rest of the frame.
 */
const HEAD_BYTES = 132 * 1024;
/** Size in bytes of the chunks in which frames are read. */
const PIECE_BYTES = 256 * 1024;
/**
 * Unit in bytes to which buffer sizes are rounded up, so that frames of slightly different size can use the
 * same buffer.
 */
const ROUNDING = 1024 * 1024;

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface FrameStore {
  /** Begins a frame of `size` bytes at position `offset` of the stream. */
  begin(offset: number, size: number): void;
  /** Appends bytes to the current frame. */
  append(piece: Uint8Array): void;
  /** Returns the compressed bytes of the last frame. A chunk is valid until the next one is requested. */
  last(): Pieces;
  /** Returns the compressed bytes of the frame before the last. */
  previous(): Pieces;
  /** Returns the first bytes of the first frame. */
  head(): Pieces;
}

/** Keeps frames in memory, for streams that are not in a file of this server. Uses up to 17 MB of memory. */
export class MemoryFrames implements FrameStore {
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

/** Reads the frames from the file that contains the stream. The file is on this server. */
export class FileFrames implements FrameStore {
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
      // The file was truncated. Unpacking the frame will fail.
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

/** A byte buffer that reuses its memory. */
class Buffer {
  #memory = new Uint8Array(0);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Empties the buffer and makes room for at least `size` bytes. */
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
