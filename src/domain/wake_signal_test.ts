import assert from "node:assert/strict";
import { TestClock } from "../../tests/support/fixtures/clock.ts";
import { WakeSignal } from "./wake_signal.ts";

/** Returns a function that returns whether the promise has resolved. */
function observe(promise: Promise<void>): () => Promise<boolean> {
  let isDone = false;
  promise.then(() => isDone = true);
  return async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return isDone;
  };
}

Deno.test("a wait ends at a wake-up, after the poll interval or at an abort, whichever comes first", async () => {
  const clock = new TestClock();
  const signal = new WakeSignal(clock);
  const woken = observe(signal.wait(1000));
  assert.equal(await woken(), false);
  signal.wake();
  assert.equal(await woken(), true);

  signal.reset();
  const polled = observe(signal.wait(1000));
  await clock.advance(999);
  assert.equal(await polled(), false);
  await clock.advance(1);
  assert.equal(await polled(), true);

  const over = new AbortController();
  const aborted = observe(signal.wait(1000, over.signal));
  assert.equal(await aborted(), false);
  over.abort();
  assert.equal(await aborted(), true);
  assert.equal(await observe(signal.wait(1000, over.signal))(), true);
});

Deno.test("a wake-up while the loop works ends its next wait at once", async () => {
  const signal = new WakeSignal(new TestClock());
  signal.reset();
  signal.wake();
  assert.equal(await observe(signal.wait(1000))(), true);
  // The signal stays set until it is reset, because the loop might not have read the change yet.
  assert.equal(await observe(signal.wait(1000))(), true);
  signal.reset();
  assert.equal(await observe(signal.wait(1000))(), false);
  signal.wake();
});
