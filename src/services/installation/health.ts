/** Reports the health of this process: the state of its start or stop, and stalled loops. */
import type { Clock } from "../../domain/clock.ts";

/** Called by a loop after each step. */
export type Beat = () => void;

interface Watched {
  name: string;
  /** Monotonic milliseconds. */
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

  /** The start is complete. */
  serve(): void {
    this.#stage = "serving";
  }

  /** The process is stopping, so it should get no new requests. */
  stop(): void {
    this.#stage = "stopping";
  }

  get isStopping(): boolean {
    return this.#stage === "stopping";
  }

  /**
   * Stores the problem of a part of this process, as one sentence, until the part reports null. Returns
   * whether the report differs from the last one.
   */
  report(part: string, problem: string | null): boolean {
    const before = this.#problems.get(part) ?? null;
    if (problem === null) this.#problems.delete(part);
    else this.#problems.set(part, problem);
    return before !== problem;
  }

  /**
   * Watches a loop until `end`: it has stalled if it does not call `beat` for longer than `patience`
   * (milliseconds).
   */
  watch(name: string, patience: number): { beat: Beat; end(): void } {
    const watched: Watched = { name, patience, beatAt: this.#clock.monotonic() };
    this.#loops.add(watched);
    return {
      beat: () => watched.beatAt = this.#clock.monotonic(),
      end: () => this.#loops.delete(watched),
    };
  }

  /** Seconds since each loop's last beat. */
  ages(): { name: string; seconds: number }[] {
    return [...this.#loops].map((loop) => ({ name: loop.name, seconds: this.#ageOf(loop) / 1000 }));
  }

  /** Returns the problem in one sentence; null if there is none. */
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
