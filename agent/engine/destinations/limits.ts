/** Limits on how long a destination may be silent, and on how long the agent waits for an unreachable one. */

export interface DestinationLimits {
  /** Time without a response, while one is due, after which a connection is given up. Milliseconds. */
  readonly idleMs: number;
  /** Time for which a lost connection is reopened before the work fails, in milliseconds. 0: not at all. */
  readonly patienceMs: number;
}

/** Limits of runs: if a destination is unavailable for some minutes, hours of work must not be lost. */
const IDLE_SECONDS = 60;
const PATIENCE_SECONDS = 15 * 60;

/** Returns the limits of runs. Environment variables override the defaults. */
export function runLimits(): DestinationLimits {
  return {
    idleMs: seconds("DESTINATION_IDLE_SECONDS", IDLE_SECONDS) * 1000,
    patienceMs: seconds("DESTINATION_PATIENCE_SECONDS", PATIENCE_SECONDS) * 1000,
  };
}

/**
 * Returns the limits of a request. They are shorter than its deadline, so that its response can state the
 * reason.
 */
export function requestLimits(patienceMs: number): DestinationLimits {
  const { idleMs } = runLimits();
  return { idleMs: Math.min(idleMs, 20_000), patienceMs };
}

function seconds(name: string, otherwise: number): number {
  const text = Deno.env.get(name);
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : otherwise;
}
