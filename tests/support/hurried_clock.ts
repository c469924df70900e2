/** The system's clock, so many times faster: for limits of minutes over real connections. */
import { type Clock, systemClock } from "../../src/domain/clock.ts";

export function hurriedClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}

/** Keeps the event loop at work while only a clock's sleeps are left, which keep no process alive. */
export function keepAwake(): Disposable {
  const timer = setInterval(() => {}, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
