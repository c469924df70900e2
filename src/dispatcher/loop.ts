/**
 * A loop that does a round of work when it is woken or when the next round is due. It continues after a
 * failure.
 */
import { logger } from "../telemetry/logging.ts";
import type { Clock } from "../domain/clock.ts";
import { WakeSignal } from "../domain/wake_signal.ts";
import type { Beat, Health } from "../services/installation/health.ts";

/** Delay after a failure, in milliseconds. It doubles from the first value up to the second. */
const RETRY_FIRST = 250;
const RETRY_LAST = 30_000;

export interface LoopOptions {
  /** Name of the loop in the log. */
  name: string;
  clock: Clock;
  health: Health;
  /**
   * Maximum time between two rounds, in milliseconds. It limits the delay after a lost database notification.
   */
  pollMs: number;
  /**
   * Milliseconds that are added to `pollMs`. If the loop completes no step for the sum of both, the process
   * reports that it is not ready.
   */
  patienceMs?: number;
  /**
   * Does one round, and calls `beat` after each step. Returns the time at which the next round is due; null
   * means after `pollMs`.
   */
  work(beat: Beat): Promise<Date | null>;
}

const DEFAULT_PATIENCE = 2 * 60_000;

export class Loop {
  readonly #options: LoopOptions;
  readonly #stopped = new AbortController();
  #done: Promise<void> = Promise.resolve();
  readonly #signal: WakeSignal;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#signal = new WakeSignal(options.clock);
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Starts the next round now, or right after the current one. */
  wake(): void {
    this.#signal.wake();
  }

  /** Stops the loop. Resolves when the current round has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, health, name, patienceMs = DEFAULT_PATIENCE, pollMs, work } = this.#options;
    const watched = health.watch(name, pollMs + patienceMs);
    let retry = RETRY_FIRST;
    while (!this.#stopped.signal.aborted) {
      this.#signal.reset();
      let wait = pollMs;
      try {
        const next = await work(watched.beat);
        watched.beat();
        if (next !== null) wait = Math.min(pollMs, Math.max(0, next.getTime() - clock.now().getTime()));
        retry = RETRY_FIRST;
      } catch (error) {
        logger("dispatcher").error(
          "Cannot finish a round of the {name}: {error}. It will be retried.",
          { name, error },
        );
        // Ignore wake-ups after a failure. With wake-ups, a lasting failure would become a busy loop.
        this.#signal.reset();
        wait = retry;
        retry = Math.min(retry * 2, RETRY_LAST);
      }
      await this.#signal.wait(wait, this.#stopped.signal);
    }
    watched.end();
  }
}
