/**
 * Limits how many agents use the database for their handshake at the same time. Even when thousands of
 * agents connect, some database connections stay free for other work.
 */

/** Maximum number of concurrent handshakes; the database pool has ten connections. */
const MAX_CONCURRENT = 6;

export class HandshakeLimiter {
  readonly #waiting: (() => void)[] = [];
  #entering = 0;

  /**
   * Waits until a handshake is allowed to begin, then calls `work` and returns the result. If `isWanted`
   * returns false after the wait, returns null and does not call `work`. In this case the agent has
   * disconnected, and will connect again.
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
