/** The system's clock, sped up by a factor: for limits of minutes over real connections. */
import { type Clock, systemClock } from "../../src/domain/clock.ts";

export function hurriedClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}

/**
 * Keeps the event loop alive while only a clock's sleeps are pending, which do not keep it alive themselves.
 */
export function keepAwake(): Disposable {
  const timer = setInterval(() => {}, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
