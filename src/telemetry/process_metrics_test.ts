import assert from "node:assert/strict";
import { TestClock } from "../../tests/support/fixtures/clock.ts";
import { processMetrics, watchEventLoop } from "./process_metrics.ts";

Deno.test("the longest lag of the last minute is reported, and forgotten after it", async () => {
  const clock = new TestClock();
  const over = new AbortController();
  const watching = watchEventLoop(clock, over.signal);
  const lag = async () =>
    /^rearguard_event_loop_lag_seconds (\S+)$/m.exec(await processMetrics.metrics())?.[1];
  await clock.advance(100);
  assert.equal(await lag(), "0");
  // The process wakes 300 ms late, as if another task had occupied the processor.
  await clock.advance(400);
  assert.equal(await lag(), "0.3");
  for (let looks = 0; looks < 599; looks++) await clock.advance(100);
  assert.equal(await lag(), "0.3");
  await clock.advance(100);
  assert.equal(await lag(), "0");
  over.abort();
  await watching;
});
