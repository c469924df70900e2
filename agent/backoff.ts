/** Waits between tries: full jitter, so that a thousand agents don't come back in the same second. */
export class Backoff {
  #tries = 0;

  /** @param first, last The widest first wait and the widest of all. Milliseconds. */
  constructor(private readonly first: number, private readonly last: number) {}

  /** Anything from nothing to the width, which doubles with each try. */
  next(): number {
    const width = Math.min(this.last, this.first * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 30);
    return Math.random() * width;
  }

  reset(): void {
    this.#tries = 0;
  }
}
