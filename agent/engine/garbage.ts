/**
 * Explicit garbage collection, for an agent that was started with `--expose-gc`. V8's own heap is small
 * compared with the native buffers, so V8 sees no reason to collect them. Without this, a hundred megabytes
 * pile up.
 */
import type { Clock } from "../../src/domain/clock.ts";

type Collect = (options?: { type: "minor" }) => void;

/** Collects what was made last: a millisecond. */
export function collectYoung(): void {
  (globalThis as { gc?: Collect }).gc?.({ type: "minor" });
}

/** Between two whole collections, of some ten milliseconds each. Milliseconds. */
const PAUSE = 1000;

/** Collects everything soon after work has ended, however much of it ends at the same time. */
export class GarbageCollection {
  #isDue = false;

  constructor(private readonly clock: Clock, private readonly collect: () => void = collectAll) {}

  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const over = () => {
      this.#isDue = false;
      this.collect();
    };
    this.clock.sleep(PAUSE, new AbortController().signal).then(over, () => {});
  }
}

function collectAll(): void {
  (globalThis as { gc?: Collect }).gc?.();
}
