/** What this process counts as it works, told by `/metrics`. */
import { Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../domain/clock.ts";

export const processMetrics = new Registry();

const registers = [processMetrics];

export const runEvents = new Counter({
  name: "rearguard_run_events_total",
  help: "Events of runs that this process took from agents and stored.",
  registers,
});

export const runOutput = new Counter({
  name: "rearguard_run_output_characters_total",
  help: "Characters of output among them.",
  registers,
});

const eventLoopLag = new Gauge({
  name: "rearguard_event_loop_lag_seconds",
  help: "The longest that this process was too busy to take up other work, within the last minute.",
  registers,
});

/** How often the event loop is looked at. Milliseconds. */
const EVERY = 100;
/** Of looks: a minute. */
const KEPT = 600;

/** Watches the event loop of this process until `signal` is aborted. */
export async function watchEventLoop(
  clock: Pick<Clock, "monotonic" | "sleep">,
  signal: AbortSignal,
): Promise<void> {
  const lags = new Float64Array(KEPT);
  for (let turn = 0; !signal.aborted; turn = (turn + 1) % KEPT) {
    const before = clock.monotonic();
    if (!(await clock.sleep(EVERY, signal).then(() => true, () => false))) return;
    lags[turn] = Math.max(0, clock.monotonic() - before - EVERY);
    eventLoopLag.set(Math.max(...lags) / 1000);
  }
}
