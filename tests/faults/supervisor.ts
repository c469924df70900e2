/** Keeps a process running, as a service manager does, and records why it ended. */
import { systemClock } from "../../src/domain/clock.ts";

export interface Process {
  readonly ended: Promise<unknown>;
  readonly pid: number;
  /** Whether the process was ready at any time. A process that was ready must not end by itself. */
  readonly wasReady: boolean;
  /** Returns what the process has printed, to explain its end. */
  output(): string;
}

/** Time in milliseconds until a process that ended by itself is started again. */
const PAUSE = 200;

export class Supervisor<P extends Process> {
  /**
   * Descriptions of processes that ended by themselves although they had been ready. Each such end is a
   * defect.
   */
  readonly ends: string[] = [];
  #current: P | null = null;
  #isWanted = false;
  #downFor: number | null = null;
  #done: Promise<void> = Promise.resolve();

  constructor(private readonly name: string, private readonly launch: () => P) {}

  get current(): P | null {
    return this.#current;
  }

  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#done = this.#keep();
  }

  /**
   * Kills the process, and starts it again after `downFor` milliseconds. Returns false if the process does
   * not run.
   */
  kill(downFor: number): boolean {
    if (this.#current === null) return false;
    this.#downFor = downFor;
    this.#signal("SIGKILL");
    return true;
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#signal("SIGTERM");
    await this.#done;
  }

  async #keep(): Promise<void> {
    while (this.#isWanted) {
      const process = this.launch();
      this.#current = process;
      await process.ended;
      this.#current = null;
      const isKilled = this.#downFor !== null;
      if (!isKilled && this.#isWanted && process.wasReady) {
        this.ends.push(`${this.name} ended by itself: ${process.output().slice(-2000)}`);
      }
      const pause = this.#downFor ?? PAUSE;
      this.#downFor = null;
      if (this.#isWanted) await systemClock.sleep(pause);
    }
  }

  #signal(signal: Deno.Signal): void {
    try {
      if (this.#current !== null) Deno.kill(this.#current.pid, signal);
    } catch (error) {
      // The process has ended. The supervisor will notice this soon.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
