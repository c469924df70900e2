/**
 * Slows down the guessing of passwords. Attempts are counted for the account and for the client's address.
 * After some failures, each further attempt has to wait. The wait gets longer with every failure, but is
 * never longer than a minute. So strangers can't lock an account out for ever.
 *
 * Failures from other addresses do not delay an address that has logged in to the account before. Attempts
 * for an account that does not exist are counted like attempts for an existing one. The counts are kept in
 * this process, so each replica has its own counts.
 */
import { networkOf } from "../../domain/access/client_network.ts";
import type { Clock } from "../../domain/clock.ts";
import { ThrottledError } from "../../domain/errors.ts";

/**
 * Number of failures after which further attempts have to wait: for one account, and for one client address.
 */
const FREE = { account: 5, address: 20 } as const;
/** Longest wait between two attempts, in milliseconds. */
const LONGEST_WAIT = 60_000;
/** How long failures are remembered after the last failure, in milliseconds. */
const REMEMBERED = 3_600_000;
/** Maximum number of counts in memory. If there are more, the oldest ones are deleted. */
const MAX_KEPT = 50_000;

interface Count {
  attempts: number;
  /**
   * `nextAt` is when the next attempt is accepted. `endsAt` is when this count is forgotten. Both are in
   * milliseconds of the monotonic clock.
   */
  nextAt: number;
  endsAt: number;
}

/** An attempt to log in. It counts as failed until it is withdrawn. */
export interface LoginAttempt {
  /** Uncounts the attempt, because it succeeded. */
  withdraw(): void;
}

export class LoginThrottle {
  readonly #counts = new Map<string, Count>();

  constructor(readonly clock: Clock) {}

  /**
   * Counts an attempt. If the account or the address has to wait, throws a {@link ThrottledError} and does
   * not count the attempt.
   *
   * @param isKnown Whether a user has logged in to this account from this address before.
   */
  begin(email: string, address: string | null, isKnown: boolean): LoginAttempt {
    const network = address === null ? "unknown" : networkOf(address);
    const account = email.trim().toLowerCase();
    const keys = [
      [isKnown ? `known ${network} ${account}` : `account ${account}`, FREE.account] as const,
      [`address ${network}`, FREE.address] as const,
    ];
    const now = this.clock.monotonic();
    const nextAt = Math.max(...keys.map(([key]) => this.#current(key, now)?.nextAt ?? -Infinity));
    if (nextAt > now) throw new ThrottledError(Math.ceil((nextAt - now) / 1000));
    const undo = keys.map(([key, free]) => this.#add(key, free, now));
    return { withdraw: () => undo.splice(0).forEach((each) => each()) };
  }

  #current(key: string, now: number): Count | undefined {
    const count = this.#counts.get(key);
    return count !== undefined && count.endsAt > now ? count : undefined;
  }

  /** Counts an attempt. Returns the function that uncounts it. */
  #add(key: string, free: number, now: number): () => void {
    const before = this.#current(key, now);
    const attempts = (before?.attempts ?? 0) + 1;
    const excess = attempts - free;
    const wait = excess < 0 ? 0 : Math.min(1000 * 2 ** Math.min(excess, 10), LONGEST_WAIT);
    this.#counts.delete(key);
    const added = { attempts, nextAt: now + wait, endsAt: now + REMEMBERED };
    this.#counts.set(key, added);
    for (const [oldest, { endsAt }] of this.#counts) {
      if (this.#counts.size <= MAX_KEPT && endsAt > now) break;
      this.#counts.delete(oldest);
    }
    return () => {
      const count = this.#counts.get(key);
      if (count === undefined) return;
      count.attempts--;
      if (count === added) count.nextAt = before?.nextAt ?? -Infinity;
      if (count.attempts <= 0) this.#counts.delete(key);
    };
  }
}
