import assert from "node:assert/strict";
import { judgeBackup } from "./finding.ts";
import type { GuardAction } from "./guard.ts";

const MINUTE = 60_000;

/** Judges a run that took `minutes`, after `count` runs with a median of `usual` minutes. */
function judge(minutes: number, usual: number, count = 7, action: GuardAction = "warn") {
  const backup = {
    size: 1,
    bytes_read: 1,
    files_count: 1,
    incompressible_share: null,
    duration_ms: minutes * MINUTE,
  };
  const runs = count === 0 ? null : { runs_count: count, duration_ms: usual * MINUTE };
  return judgeBackup({ too_long: action }, backup, { usual: null, runs });
}

Deno.test("a run is too long from three times the median and ten minutes on", () => {
  assert.deepEqual(judge(29.9, 10).findings, []);
  assert.equal(judge(30, 10).findings.length, 1);
  assert.deepEqual(judge(9.9, 1).findings, []);
  assert.equal(judge(10, 1).findings.length, 1);
});

Deno.test("a run after fewer than five others is not compared, and its output says so", () => {
  for (const count of [0, 4]) {
    const { findings, notCompared } = judge(90, 10, count);
    assert.deepEqual(findings, []);
    assert.match(notCompared.join(), /^Not compared with earlier runs: fewer than 5 of this source/);
  }
  assert.deepEqual(judge(90, 10, 5).notCompared, []);
});

Deno.test("the finding says by how much, and what usually grows; it is no more than a warning", () => {
  const { findings, warnings, failure } = judge(45, 10);
  const [{ name, message, severity }] = findings as [typeof findings[0]];
  assert.deepEqual([name, severity, failure], ["too_long", "warning", null]);
  assert.match(
    message,
    /^It took 45 min, 4\.5 times the median of the last 7 runs \(10 min\)\. Usually .* grown/,
  );
  assert.match(
    warnings.join(),
    /^This backup looks wrong: it took 45 min, .*set too_long of the task's guards/,
  );
  assert.match(judge(45, 10, 7, "fail").failure!, /^Cannot trust this backup: it took 45 min/);
  assert.deepEqual(judge(45, 10, 7, "ignore").findings, []);
});
