/** How many answers without an end a token may hold open: each looks at the database again and again. */
import { HttpError } from "../errors.ts";

export const DEFAULT_STREAM_LIMIT = 100;

/** Counted in this process: each replica grants the limit for itself. */
export class OpenStreams {
  readonly #open = new Map<number, number>();

  constructor(readonly limit: number) {}

  /**
   * Counts one more and returns what takes it off again, at its first call; throws a 429 where there are too
   * many.
   */
  hold(tokenId: number): () => void {
    const count = this.#open.get(tokenId) ?? 0;
    if (count >= this.limit) {
      throw new HttpError(
        429,
        `Too many streams at once: a token may follow ${this.limit}. Close some, and try again.`,
        {
          "Retry-After": "10",
        },
      );
    }
    this.#open.set(tokenId, count + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = this.#open.get(tokenId)! - 1;
      if (left === 0) this.#open.delete(tokenId);
      else this.#open.set(tokenId, left);
    };
  }
}
