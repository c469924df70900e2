/** Waits between retries, with full jitter: a thousand agents don't reconnect in the same second. */
export class Backoff {
  #tries = 0;

  /** @param first, last The upper limits of the first wait and of every later one, in milliseconds. */
  constructor(private readonly first: number, private readonly last: number) {}

  /** Returns a random wait between 0 and an upper limit that doubles with each try. */
  next(): number {
    const width = Math.min(this.last, this.first * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 30);
    return Math.random() * width;
  }

  reset(): void {
    this.#tries = 0;
  }
}
