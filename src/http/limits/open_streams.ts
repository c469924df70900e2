/** Limits the open streams of a token or session, because each stream queries the database repeatedly. */
import type { Credential } from "../../domain/access/credential.ts";
import { HttpError } from "../errors.ts";

export const DEFAULT_STREAM_LIMIT = 100;

/** Counts the open streams of each token and session in this process: each replica grants the full limit. */
export class OpenStreams {
  readonly #open = new Map<string, number>();

  constructor(readonly limit: number) {}

  /**
   * Counts one more stream. Returns a function that stops counting this stream. Calling the function again
   * has no effect. Throws a 429 if the caller has too many open streams.
   */
  hold(credential: Credential): () => void {
    const key = `${credential.kind} ${credential.id}`;
    const count = this.#open.get(key) ?? 0;
    if (count >= this.limit) {
      throw new HttpError(
        429,
        `Too many open streams: the limit for a token or log-in is ${this.limit}. Close some tabs or programs, ` +
          "and try again.",
        {
          "Retry-After": "10",
        },
      );
    }
    this.#open.set(key, count + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = this.#open.get(key)! - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }
}
