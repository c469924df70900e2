import assert from "node:assert/strict";
import { type DrilledTask, proofOf } from "./proof.ts";

const DAY = 86_400_000;
const now = new Date("2026-01-31T00:00:00Z");
const task: DrilledTask = {
  paused_at: null,
  drill_every: 30,
  last_proven_at: null,
  damaged_count: 0,
  newest_backup_id: 7,
  drill_refusal: null,
};
const status = (fields: Partial<DrilledTask>) => proofOf({ ...task, ...fields }, now).status;
const daysAgo = (days: number) => new Date(now.getTime() - days * DAY);

Deno.test("a task is proven while its last successful drill is within the interval and a day", () => {
  assert.equal(status({}), "never_proven");
  assert.equal(status({ last_proven_at: daysAgo(31) }), "proven");
  assert.equal(status({ last_proven_at: new Date(daysAgo(31).getTime() - 1) }), "overdue");
  assert.equal(status({ last_proven_at: daysAgo(1), newest_backup_id: null }), "proven");
  assert.equal(status({ last_proven_at: daysAgo(1), damaged_count: 1 }), "damaged");
  assert.equal(status({ newest_backup_id: null }), "no_backup");
});

Deno.test("a task that nothing drills says why, and is not counted as overdue", () => {
  assert.deepEqual(proofOf({ ...task, drill_refusal: "No key." }, now), {
    status: "not_drilled",
    note: "No key.",
  });
  assert.equal(status({ drill_every: 0, last_proven_at: daysAgo(1) }), "not_drilled");
  assert.equal(status({ paused_at: now, last_proven_at: daysAgo(40) }), "not_drilled");
  assert.equal(status({ paused_at: now, last_proven_at: daysAgo(2) }), "proven");
});
