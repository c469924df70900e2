/** A stream of bytes, read in the sizes that a format asks for. */
export class SealedInput {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Fills `buffer` as far as there are bytes. Returns how many there were. */
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
   * Up to and with the next newline; without one where the stream ends or `limit` bytes are read before it.
   */
  async line(limit: number): Promise<Uint8Array> {
    const line: number[] = [];
    while (line.length < limit && line.at(-1) !== 10 && !await this.ended()) {
      line.push(this.#rest[0]!);
      this.#take(1);
    }
    return new Uint8Array(line);
  }

  /** Asks the stream for more only when all that it gave is taken: it may use its buffer again. */
  async ended(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#iterator.next();
      if (done) return true;
      this.#rest = value;
    }
    return false;
  }

  /** Lets the stream's owner close what it reads from. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #take(count: number): void {
    this.#rest = this.#rest.subarray(count);
    this.#offset += count;
  }
}
