/**
 * Limits how many agents complete their handshake in the database at a time, so that thousands of them leave
 * connections for others.
 */

/** Out of the pool's ten connections. */
const MAX_CONCURRENT = 6;

export class HandshakeLimiter {
  readonly #waiting: (() => void)[] = [];
  #entering = 0;

  /**
   * Calls `work` when it is this caller's turn. Returns null if `isWanted` is false by then: the agent has
   * given up, and will connect again.
   */
  async enter<T>(isWanted: () => boolean, work: () => Promise<T>): Promise<T | null> {
    if (this.#entering >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#entering++;
    try {
      return isWanted() ? await work() : null;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#entering--;
      else next();
    }
  }
}
