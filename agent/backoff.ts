/**
 * Waits between retries. The waits are random (full jitter), so that a thousand agents don't reconnect in the
 * same second.
 */
export class Backoff {
  #tries = 0;

  /**
   * @param first Upper limit of the first wait, in milliseconds.
   * @param last Upper limit of every wait, in milliseconds.
   */
  constructor(private readonly first: number, private readonly last: number) {}

  /** Returns a random wait in milliseconds. Its upper limit doubles with each try. */
  next(): number {
    const width = Math.min(this.last, this.first * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 30);
    return Math.random() * width;
  }

  reset(): void {
    this.#tries = 0;
  }
}
