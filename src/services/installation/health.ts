/** Reports the health of this process: whether it is starting or stopping, and which loops have stalled. */
import type { Clock } from "../../domain/clock.ts";

/** Records that a loop is alive. The loop calls this function after each step. */
export type Beat = () => void;

interface Watched {
  name: string;
  /** Time of the last beat, in milliseconds of the monotonic clock. */
  beatAt: number;
  patience: number;
}

export class Health {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #loops = new Set<Watched>();
  readonly #problems = new Map<string, string>();
  #stage: "starting" | "serving" | "stopping" = "starting";

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Records that the start is complete. */
  serve(): void {
    this.#stage = "serving";
  }

  /**
   * Records that the process is stopping. The process then reports that it is unhealthy, so that it gets no
   * new requests.
   */
  stop(): void {
    this.#stage = "stopping";
  }

  get isStopping(): boolean {
    return this.#stage === "stopping";
  }

  /**
   * Stores the problem of one part of this process. Returns whether this problem differs from the problem
   * that was last reported for this part.
   *
   * @param problem A sentence; null if the part has no problem.
   */
  report(part: string, problem: string | null): boolean {
    const before = this.#problems.get(part) ?? null;
    if (problem === null) this.#problems.delete(part);
    else this.#problems.set(part, problem);
    return before !== problem;
  }

  /**
   * Starts watching a loop, until `end` is called. The loop has stalled if it does not call `beat` for longer
   * than `patience` milliseconds.
   */
  watch(name: string, patience: number): { beat: Beat; end(): void } {
    const watched: Watched = { name, patience, beatAt: this.#clock.monotonic() };
    this.#loops.add(watched);
    return {
      beat: () => watched.beatAt = this.#clock.monotonic(),
      end: () => this.#loops.delete(watched),
    };
  }

  /** Returns the seconds since each loop's last beat. */
  ages(): { name: string; seconds: number }[] {
    return [...this.#loops].map((loop) => ({ name: loop.name, seconds: this.#ageOf(loop) / 1000 }));
  }

  /** Returns one sentence that says why this process is not healthy; null if it is healthy. */
  problem(): string | null {
    if (this.#stage === "starting") return "The control plane is starting.";
    if (this.#stage === "stopping") return "The control plane is stopping.";
    const [problem] = this.#problems.values();
    if (problem !== undefined) return problem;
    const stalled = [...this.#loops].filter((loop) => this.#ageOf(loop) > loop.patience);
    if (stalled.length === 0) return null;
    const [first, ...others] = stalled.map((loop) =>
      `the ${loop.name} for ${Math.round(this.#ageOf(loop) / 1000)} s`
    );
    return `Background loops have stalled: ${
      [first, ...others].join(", ")
    }; the log shows why. Restart the control plane.`;
  }

  #ageOf({ beatAt }: Watched): number {
    return this.#clock.monotonic() - beatAt;
  }
}
