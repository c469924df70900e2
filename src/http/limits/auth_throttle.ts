/**
 * Limits failed authentications. Counts are kept in this process, as for the rate limit. The secrets are 256
 * random bits, so a few times the limit does not help an attacker, and a row for each failure would let
 * strangers write into the database.
 *
 * A failure counts for the address together with the beginning of the token, and, with a higher limit, for
 * the address alone. So an agent with an old key locks out itself, and not others behind the same address. No
 * count is for a token's beginning alone, because then anybody who knows it could lock out its owner. A token
 * that was recently valid from an address stays admitted, whatever others at that address do.
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../../domain/clock.ts";
import { HttpError } from "../errors.ts";

const WINDOW = 60_000;
const ADMITTED_FOR = 3_600_000;
/** In characters: `rg_` and 54 of the token's random bits. */
const PREFIX = 12;
/** The maximum number of entries of each kind; the oldest are dropped first. */
const MAX_KEPT = 50_000;

interface Failures {
  /** In monotonic milliseconds. */
  endsAt: number;
  count: number;
}

export class AuthThrottle {
  readonly #failures = new Map<string, Failures>();
  /** When each recently valid token stops being admitted, in monotonic milliseconds. */
  readonly #good = new Map<string, number>();

  /**
   * @param limit Failures per minute and address; a third of it for one token's beginning. 0 for no limit.
   */
  constructor(readonly limit: number, readonly clock: Clock) {}

  /** Throws a 429 after too many failures. `token` is the token as sent. */
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

/** Adds an entry at the end, and drops expired or superfluous ones from the front. */
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

/**
 * Returns an IPv6 address's /64 network, because one client usually has all its addresses; an IPv4 address
 * unchanged.
 */
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

function tokenKey(address: string, token: string): string {
  return createHash("sha256").update(`${address} ${token}`).digest("base64");
}
