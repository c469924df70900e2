/**
 * Explicit garbage collection, for an agent that was started with `--expose-gc`. V8's own heap is small
 * compared with the native buffers, so V8 sees no reason to collect them. Without this, a hundred megabytes
 * pile up.
 */
import type { Clock } from "../../src/domain/clock.ts";

type Collect = (options?: { type: "minor" }) => void;

/** Collects the youngest objects, which takes about a millisecond. */
export function collectYoung(): void {
  (globalThis as { gc?: Collect }).gc?.({ type: "minor" });
}

/** Time between two full collections, in milliseconds. Each takes some ten milliseconds. */
const PAUSE = 1000;

/** Runs one full collection soon after work has ended, even if several pieces of work end together. */
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
