/**
 * Limits the requests per minute of a token or session. Counts are kept in this process: each replica grants
 * the full limit.
 */
import type { Clock } from "../../domain/clock.ts";
import type { Credential } from "../../domain/access/credential.ts";
import { HttpError } from "../errors.ts";

const WINDOW = 60_000;

interface Window {
  /** When the window ends, in milliseconds of the monotonic clock. */
  endsAt: number;
  used: number;
}

/**
 * Counts the requests of each token and session in fixed windows of a minute. A window starts with the first
 * request after the end of the previous window.
 */
export class RateLimiter {
  readonly #windows = new Map<string, Window>();
  #sweepAt = 0;

  /** @param limit Requests per minute; 0 for no limit. */
  constructor(readonly limit: number, readonly clock: Clock) {}

  /**
   * Counts one request and returns the headers that state the remaining limit. Throws a 429 if nothing
   * remains.
   */
  take(credential: Credential): Record<string, string> {
    if (this.limit === 0) return {};
    const now = this.clock.monotonic();
    if (now >= this.#sweepAt) this.#sweep(now);
    const key = `${credential.kind} ${credential.id}`;
    let window = this.#windows.get(key);
    if (window === undefined || window.endsAt <= now) {
      window = { endsAt: now + WINDOW, used: 0 };
      this.#windows.set(key, window);
    }
    window.used++;
    const headers = {
      "X-RateLimit-Limit": String(this.limit),
      "X-RateLimit-Remaining": String(Math.max(0, this.limit - window.used)),
    };
    if (window.used <= this.limit) return headers;
    const seconds = Math.ceil((window.endsAt - now) / 1000);
    throw new HttpError(429, `Too many requests; try again in ${seconds} seconds.`, {
      ...headers,
      "Retry-After": String(seconds),
      "X-RateLimit-Reset": String(Math.ceil(this.clock.now().getTime() / 1000) + seconds),
    });
  }

  #sweep(now: number): void {
    this.#sweepAt = now + WINDOW;
    for (const [key, window] of this.#windows) if (window.endsAt <= now) this.#windows.delete(key);
  }
}
