/** A clock that stands still until a test moves it. */
import type { Clock } from "../../src/domain/clock.ts";

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Both times move together. A `sleep` resolves once {@link advance} or {@link set} reaches its end. */
export class TestClock implements Clock {
  #now: number;
  #monotonic = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start: Date | string = "2026-01-05T12:00:00Z") {
    this.#now = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** How many sleeps wait. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = { until: this.#monotonic + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        if (this.#sleepers.delete(sleeper)) reject(signal.reason);
      }, { once: true });
    });
  }

  /** Moves time on and wakes those whose time has come, in order; resolves after they had their turn. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    this.#monotonic += ms;
    const due = [...this.#sleepers].filter((sleeper) => sleeper.until <= this.#monotonic);
    for (const sleeper of due.sort((a, b) => a.until - b.until)) {
      if (this.#sleepers.delete(sleeper)) sleeper.wake();
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Moves the wall time to a moment, which may lie in the past; sleepers see only a step forward. */
  async set(moment: Date | string): Promise<void> {
    const step = new Date(moment).getTime() - this.#now;
    if (step >= 0) return await this.advance(step);
    this.#now += step;
  }
}
