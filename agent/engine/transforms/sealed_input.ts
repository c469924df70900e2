/** Reads a stream of bytes in pieces of the sizes that a format requires. */
export class SealedInput {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Number of bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Fills `buffer` from the stream. Returns the number of bytes. This number is smaller than the buffer only
   * at the end of the stream.
   */
  async fill(buffer: Uint8Array): Promise<number> {
    let length = 0;
    while (length < buffer.length && !await this.ended()) {
      const piece = this.#rest.subarray(0, buffer.length - length);
      buffer.set(piece, length);
      length += piece.length;
      this.#take(piece.length);
    }
    return length;
  }

  /**
   * Returns the bytes up to and including the next newline. If the stream ends or `limit` bytes are read
   * first, the result has no newline.
   */
  async line(limit: number): Promise<Uint8Array> {
    const line: number[] = [];
    while (line.length < limit && line.at(-1) !== 10 && !await this.ended()) {
      line.push(this.#rest[0]!);
      this.#take(1);
    }
    return new Uint8Array(line);
  }

  /**
   * Returns whether the stream has ended. Reads the next chunk only after all bytes of the previous chunk are
   * used, because the stream may reuse its buffer.
   */
  async ended(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#iterator.next();
      if (done) return true;
      this.#rest = value;
    }
    return false;
  }

  /** Closes the stream. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #take(count: number): void {
    this.#rest = this.#rest.subarray(count);
    this.#offset += count;
  }
}
