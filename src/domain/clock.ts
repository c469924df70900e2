/**
 * The only source of time. All code that schedules, leases or records times takes a `Clock`, so that tests
 * can control time. A test bans `Date.now` and `new Date()` without arguments elsewhere.
 */
export interface Clock {
  /** Returns the current time of day. */
  now(): Date;
  /** Returns the milliseconds since a fixed moment, to measure durations. The value never decreases. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds, and rejects with the signal's reason if the signal aborts. A sleep does
   * not keep the process alive.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Longest timer of the runtime, in milliseconds (about 25 days). A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let timer: ReturnType<typeof setTimeout> | undefined;
      let left = ms;
      function wait() {
        const step = Math.min(left, LONGEST_TIMER);
        left -= step;
        timer = setTimeout(() => left > 0 ? wait() : wake(), step);
        Deno.unrefTimer(timer);
      }
      function wake() {
        signal?.removeEventListener("abort", abort);
        resolve();
      }
      wait();
      function abort() {
        clearTimeout(timer);
        reject(signal!.reason);
      }
      signal?.addEventListener("abort", abort, { once: true });
    });
  },
};
