/**
 * How often an address may show a token or key that is no good. Counted in this process, as calls are: the
 * secrets are 256 random bits, so that a few times the limit helps nobody to guess one, and a row for each
 * failure would let strangers write into the database.
 *
 * A failure counts for the address together with the beginning of what it showed, and, with a higher limit,
 * for the address alone: an agent with an old key keeps itself out and not its neighbours behind the same
 * address. No count is of a token's beginning alone, for that would let anybody who knows it keep its holder
 * out. What was good from an address lately stays so, whatever others at that address do.
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../../domain/clock.ts";
import { HttpError } from "../errors.ts";

const WINDOW = 60_000;
const GOOD_FOR = 3_600_000;
/** Characters: `rg_` and 54 random bits of it. */
const PREFIX = 12;
/** Entries of each kind at most; the oldest go first. */
const MAX_KEPT = 50_000;

interface Failures {
  /** Monotonic milliseconds. */
  endsAt: number;
  count: number;
}

export class AuthThrottle {
  readonly #failures = new Map<string, Failures>();
  /** Until when, in monotonic milliseconds. */
  readonly #good = new Map<string, number>();

  /**
   * @param limit Failures a minute of an address; a third of it for one token's beginning. 0 for no limit.
   */
  constructor(readonly limit: number, readonly clock: Clock) {}

  /** Throws a 429 while too many failed. `token`: as shown. */
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

  failed(address: string | null, token: string): void {
    if (this.limit === 0 || address === null) return;
    const now = this.clock.monotonic();
    this.#good.delete(goodKey(address, token));
    for (const key of keysOf(address, token)) {
      const known = this.#failures.get(key);
      if (known !== undefined && known.endsAt > now) known.count++;
      else keep(this.#failures, key, { endsAt: now + WINDOW, count: 1 }, ({ endsAt }) => endsAt <= now);
    }
  }

  passed(address: string | null, token: string): void {
    if (this.limit === 0 || address === null) return;
    const now = this.clock.monotonic();
    keep(this.#good, goodKey(address, token), now + GOOD_FOR, (until) => until <= now);
  }

  get #pairLimit(): number {
    return Math.max(1, Math.floor(this.limit / 3));
  }

  #isGood(address: string, token: string): boolean {
    return (this.#good.get(goodKey(address, token)) ?? -Infinity) > this.clock.monotonic();
  }

  #fullUntil(key: string, limit: number, now: number): number {
    const known = this.#failures.get(key);
    return known !== undefined && known.endsAt > now && known.count >= limit ? known.endsAt : -Infinity;
  }
}

/** Puts it last, and drops from the front what is over or too much. */
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

/** Whoever has one IPv6 address has the 2^64 beside it. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head, tail] = address.split("::") as [string, string?];
  const groups = head.split(":").filter((group) => group !== "");
  const behind = (tail ?? "").split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    groups.push(...Array(Math.max(0, 8 - groups.length - behind.length)).fill("0"), ...behind);
  }
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(":")}::/64`;
}

function goodKey(address: string, token: string): string {
  return createHash("sha256").update(`${address} ${token}`).digest("base64");
}
