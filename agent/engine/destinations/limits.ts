/** Limits on how long a destination may be silent, and on how long the agent waits for an unreachable one. */

export interface DestinationLimits {
  /** A connection that answers nothing for so long, while an answer is due, is given up. Milliseconds. */
  readonly idleMs: number;
  /** How long a lost connection is made anew before the work fails; 0: not at all. Milliseconds. */
  readonly patienceMs: number;
}

/** Limits of runs: a destination that is away for some minutes must not cost hours of work. */
const IDLE_SECONDS = 60;
const PATIENCE_SECONDS = 15 * 60;

/** The limits of runs; the environment may set others. */
export function runLimits(): DestinationLimits {
  return {
    idleMs: seconds("DESTINATION_IDLE_SECONDS", IDLE_SECONDS) * 1000,
    patienceMs: seconds("DESTINATION_PATIENCE_SECONDS", PATIENCE_SECONDS) * 1000,
  };
}

/** The limits of a request, whose own deadline is near: its answer should tell the reason before that. */
export function requestLimits(patienceMs: number): DestinationLimits {
  const { idleMs } = runLimits();
  return { idleMs: Math.min(idleMs, 20_000), patienceMs };
}

function seconds(name: string, otherwise: number): number {
  const text = Deno.env.get(name);
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : otherwise;
}
