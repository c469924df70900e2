/**
 * The only source of time. Everything that schedules, leases or records times takes a `Clock`, so that tests
 * can control it. A test bans `Date.now` and `new Date()` without arguments elsewhere.
 */
export interface Clock {
  /** Wall time. */
  now(): Date;
  /** Returns milliseconds since a fixed moment, for durations. Never decreases. */
  monotonic(): number;
  /**
   * Resolves after `ms`; rejects with the signal's reason once it aborts. Does not keep the process alive.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest timer, in milliseconds (about 25 days): a longer one would fire at once. */
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
