import assert from "node:assert/strict";
import { RunTraces } from "./run_traces.ts";

Deno.test("each offer of a run gets the same trace, and the oldest traces are forgotten", () => {
  const traces = new RunTraces();
  for (let run = 1; run <= 10_001; run++) traces.remember(run, `parent ${run}`);
  assert.equal(traces.parentOf(1), undefined);
  assert.equal(traces.parentOf(2), "parent 2");
  assert.equal(traces.parentOf(2), "parent 2");
  assert.equal(traces.parentOf(10_001), "parent 10001");
});
