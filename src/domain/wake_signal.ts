/** Lets a loop wait until another part of the program wakes it, or until its next poll is due. */
import type { Clock } from "./clock.ts";

/**
 * A signal on which one loop waits for changes. Any code can wake the loop. The loop must reset the signal
 * before it reads the changes. Then, if a change is made while the loop reads, the next wait ends at once.
 */
export class WakeSignal {
  readonly #clock: Clock;
  #isSet = false;
  #end = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the current wait. If nothing waits, the next wait ends at once. */
  readonly wake = (): void => {
    this.#isSet = true;
    this.#end();
  };

  /** Forgets all earlier wake-ups. */
  reset(): void {
    this.#isSet = false;
  }

  /**
   * Resolves at the next wake-up. Resolves at once if there was a wake-up since the last {@link reset}. Also
   * resolves when `signal` aborts. In case a wake-up was lost, also resolves after `pollMs` milliseconds.
   */
  async wait(pollMs: number, signal?: AbortSignal | null): Promise<void> {
    if (this.#isSet || signal?.aborted) return;
    const over = new AbortController();
    const woken = new Promise<void>((resolve) => this.#end = resolve);
    const stop = () => this.#end();
    signal?.addEventListener("abort", stop);
    // The sleep rejects only because `over` aborts it, so ignore the rejection.
    await Promise.race([woken, this.#clock.sleep(pollMs, over.signal).catch(() => {})]);
    signal?.removeEventListener("abort", stop);
    over.abort();
    this.#end = () => {};
  }
}
