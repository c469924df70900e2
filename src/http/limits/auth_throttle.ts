/**
 * Limits failed authentications.
 *
 * - A failure counts for the address together with the beginning of the token. An agent with an old key thus
 *   locks out only itself, and not other clients at the same address.
 * - A failure also counts for the address alone. The limit of this count is higher.
 * - A failure never counts for the beginning of a token alone. If it did, anybody who knows the beginning
 *   could lock out the token's owner.
 * - A token that was recently valid from an address stays admitted there, whatever other clients at the
 *   address do.
 *
 * The counts are kept in the memory of each replica, so several replicas together allow a multiple of the
 * limit. This does not help an attacker, because secrets have 256 random bits. Counts in the database would
 * let strangers write into the database.
 */
import { createHash } from "node:crypto";
import { networkOf } from "../../domain/access/client_network.ts";
import type { Clock } from "../../domain/clock.ts";
import { HttpError } from "../errors.ts";

const WINDOW = 60_000;
const ADMITTED_FOR = 3_600_000;
/** Number of characters that count as the beginning of a token: `rg_` and 54 of its random bits. */
const PREFIX = 12;
/** Maximum number of entries in each of the throttle's two maps; the oldest are dropped first. */
const MAX_KEPT = 50_000;

interface Failures {
  /** When the count ends, in milliseconds of the monotonic clock. */
  endsAt: number;
  count: number;
}

export class AuthThrottle {
  readonly #failures = new Map<string, Failures>();
  /**
   * The pairs of a token and an address from which the token was recently valid. Key: a hash of the pair.
   * Value: the time until which the token is always admitted from the address, in milliseconds of the
   * monotonic clock.
   */
  readonly #good = new Map<string, number>();

  /**
   * @param limit Maximum number of failures per minute from one address; 0 for no limit. For tokens with the
   *   same beginning, the maximum from one address is a third of this number.
   */
  constructor(readonly limit: number, readonly clock: Clock) {}

  /**
   * Throws a 429 if the address had too many failures in total, or too many with tokens that begin like
   * `token`.
   *
   * @param token The whole token as sent.
   */
  admit(address: string | null, token: string): void {
    if (this.limit === 0 || address === null || this.#isGood(address, token)) return;
    const now = this.clock.monotonic();
    const [pair, alone] = keysOf(address, token);
    const until = Math.max(
      this.#fullUntil(pair, this.#pairLimit, now),
      this.#fullUntil(alone, this.limit, now),
    );
    if (until <= now) return;
    const seconds = Math.ceil((until - now) / 1000);
    throw new HttpError(429, `Too many failed authentications; try again in ${seconds} seconds.`, {
      "Retry-After": String(seconds),
      "X-RateLimit-Reset": String(Math.ceil(this.clock.now().getTime() / 1000) + seconds),
    });
  }

  recordFailure(address: string | null, token: string): void {
    if (this.limit === 0 || address === null) return;
    const now = this.clock.monotonic();
    this.#good.delete(tokenKey(address, token));
    for (const key of keysOf(address, token)) {
      const known = this.#failures.get(key);
      if (known !== undefined && known.endsAt > now) known.count++;
      else keep(this.#failures, key, { endsAt: now + WINDOW, count: 1 }, ({ endsAt }) => endsAt <= now);
    }
  }

  recordSuccess(address: string | null, token: string): void {
    if (this.limit === 0 || address === null) return;
    const now = this.clock.monotonic();
    keep(this.#good, tokenKey(address, token), now + ADMITTED_FOR, (until) => until <= now);
  }

  get #pairLimit(): number {
    return Math.max(1, Math.floor(this.limit / 3));
  }

  #isGood(address: string, token: string): boolean {
    return (this.#good.get(tokenKey(address, token)) ?? -Infinity) > this.clock.monotonic();
  }

  #fullUntil(key: string, limit: number, now: number): number {
    const known = this.#failures.get(key);
    return known !== undefined && known.endsAt > now && known.count >= limit ? known.endsAt : -Infinity;
  }
}

/**
 * Adds an entry at the end of the map. Then removes entries from the map's front while the first one is
 * expired or the map is too large.
 */
function keep<T>(map: Map<string, T>, key: string, value: T, isOver: (value: T) => boolean): void {
  map.delete(key);
  map.set(key, value);
  for (const [oldest, kept] of map) {
    if (map.size <= MAX_KEPT && !isOver(kept)) return;
    map.delete(oldest);
  }
}

function keysOf(address: string, token: string): [string, string] {
  const network = networkOf(address);
  return [`${network} ${token.slice(0, PREFIX)}`, network];
}

function tokenKey(address: string, token: string): string {
  return createHash("sha256").update(`${address} ${token}`).digest("base64");
}
