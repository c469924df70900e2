/** Lets a loop wait until it is woken, or until its next poll is due. */
import type { Clock } from "./clock.ts";

/**
 * A signal on which one loop waits, and which anybody may wake. The loop resets it before it reads what a
 * wake-up announces, so that a change in between ends the next wait at once.
 */
export class WakeSignal {
  readonly #clock: Clock;
  #isSet = false;
  #end = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the current wait, or the next one. */
  readonly wake = (): void => {
    this.#isSet = true;
    this.#end();
  };

  /** Forgets all earlier wake-ups. */
  reset(): void {
    this.#isSet = false;
  }

  /**
   * Resolves at a wake-up since the last {@link reset}, after `pollMs` in case a wake-up is lost, or when the
   * signal aborts.
   */
  async wait(pollMs: number, signal?: AbortSignal | null): Promise<void> {
    if (this.#isSet || signal?.aborted) return;
    const over = new AbortController();
    const woken = new Promise<void>((resolve) => this.#end = resolve);
    const stop = () => this.#end();
    signal?.addEventListener("abort", stop);
    // The sleep rejects only because it is over.
    await Promise.race([woken, this.#clock.sleep(pollMs, over.signal).catch(() => {})]);
    signal?.removeEventListener("abort", stop);
    over.abort();
    this.#end = () => {};
  }
}
