/**
 * Agents that have said hello, on their way into the database: some at a time, so that thousands at once
 * leave room for others.
 */

/** Of the pool's ten connections. */
const AT_ONCE = 6;

export class HandshakeLimiter {
  readonly #waiting: (() => void)[] = [];
  #entering = 0;

  /**
   * Does `work` when its turn comes. Null where it is not wanted by then: the agent has given up waiting, and
   * comes again.
   */
  async enter<T>(isWanted: () => boolean, work: () => Promise<T>): Promise<T | null> {
    if (this.#entering >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
