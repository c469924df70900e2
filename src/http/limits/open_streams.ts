/** Limits the open streams of a token, because each stream queries the database repeatedly. */
import { HttpError } from "../errors.ts";

export const DEFAULT_STREAM_LIMIT = 100;

/** Counts each token's open streams in this process: each replica grants the full limit. */
export class OpenStreams {
  readonly #open = new Map<number, number>();

  constructor(readonly limit: number) {}

  /**
   * Counts one more stream. Returns the function that ends the count; calling it again has no effect. Throws
   * a 429 if the token has too many open streams.
   */
  hold(tokenId: number): () => void {
    const count = this.#open.get(tokenId) ?? 0;
    if (count >= this.limit) {
      throw new HttpError(
        429,
        `Too many open streams: the limit for a token is ${this.limit}. Close some, and try again.`,
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
