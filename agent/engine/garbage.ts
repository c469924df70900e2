/**
 * Collects garbage explicitly, in an agent that was started with `--expose-gc`. On its own, V8 collects
 * garbage too late: its own heap stays small, while native buffers outside the heap grow. Without explicit
 * collections, a hundred megabytes of buffers pile up.
 */
import type { Clock } from "../../src/domain/clock.ts";

type Collect = (options?: { type: "minor" }) => void;

/** Collects the youngest objects. This takes about a millisecond. */
export function collectYoung(): void {
  (globalThis as { gc?: Collect }).gc?.({ type: "minor" });
}

/**
 * Time from {@link GarbageCollection.soon} to the full collection, in milliseconds. A full collection takes
 * about 10 milliseconds.
 */
const PAUSE = 1000;

/**
 * Runs one full garbage collection soon after work has ended. If several pieces of work end within `PAUSE`,
 * one collection serves all of them.
 */
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
