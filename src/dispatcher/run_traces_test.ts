import assert from "node:assert/strict";
import { RunTraces } from "./run_traces.ts";

Deno.test("the trace of a run is known again for each offer, and the oldest are forgotten", () => {
  const traces = new RunTraces();
  for (let run = 1; run <= 10_001; run++) traces.note(run, `parent ${run}`);
  assert.equal(traces.of(1), undefined);
  assert.equal(traces.of(2), "parent 2");
  assert.equal(traces.of(2), "parent 2");
  assert.equal(traces.of(10_001), "parent 10001");
});
