/** Limits on how long a destination may be silent, and on how long the agent tries to reach it again. */

export interface DestinationLimits {
  /** Time in milliseconds that the agent waits for a response before it gives up a connection. */
  readonly idleMs: number;
  /**
   * Time in milliseconds for which the agent tries to reopen a lost connection. After this time, the work
   * fails. With 0, the work fails at once.
   */
  readonly patienceMs: number;
}

/**
 * Default limits of a run. They are long, so that a run does not lose hours of work when a destination is
 * unavailable for some minutes.
 */
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
 * Returns the limits of a request. The limits are shorter than the request's deadline, so that the response
 * can state the reason of a failure.
 */
export function requestLimits(patienceMs: number): DestinationLimits {
  const { idleMs } = runLimits();
  return { idleMs: Math.min(idleMs, 20_000), patienceMs };
}

function seconds(name: string, otherwise: number): number {
  const text = Deno.env.get(name);
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : otherwise;
}
