/** Counts what this process does. `/metrics` reports the numbers. */
import { Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../domain/clock.ts";

export const processMetrics = new Registry();

const registers = [processMetrics];

export const runEvents = new Counter({
  name: "rearguard_run_events_total",
  help: "Events of runs that this process has stored.",
  registers,
});

export const runOutput = new Counter({
  name: "rearguard_run_output_characters_total",
  help: "Characters of output in these events.",
  registers,
});

const eventLoopLag = new Gauge({
  name: "rearguard_event_loop_lag_seconds",
  help: "Longest delay of the event loop within the last minute.",
  registers,
});

/** Interval between two measurements of the event loop's lag, in milliseconds. */
const INTERVAL = 100;
/** Number of measurements to keep: those of the last minute. */
const SAMPLES = 600;

/** Measures the lag of this process's event loop until `signal` aborts. */
export async function watchEventLoop(
  clock: Pick<Clock, "monotonic" | "sleep">,
  signal: AbortSignal,
): Promise<void> {
  const lags = new Float64Array(SAMPLES);
  for (let turn = 0; !signal.aborted; turn = (turn + 1) % SAMPLES) {
    const before = clock.monotonic();
    if (!(await clock.sleep(INTERVAL, signal).then(() => true, () => false))) return;
    lags[turn] = Math.max(0, clock.monotonic() - before - INTERVAL);
    eventLoopLag.set(Math.max(...lags) / 1000);
  }
}
