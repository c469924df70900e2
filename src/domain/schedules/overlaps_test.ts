import assert from "node:assert/strict";
import fc from "fast-check";
import { findOverlaps, type PlannedRun } from "./overlaps.ts";

const run = (taskId: number, at: number, until: number): PlannedRun => ({ taskId, at, until });

Deno.test("runs of different tasks overlap while at least two are active", () => {
  assert.deepEqual(findOverlaps([run(1, 0, 10), run(2, 5, 20), run(3, 8, 9), run(4, 30, 40)]), [
    { from: 5, until: 10, taskIds: [1, 2, 3], mostAtOnce: 3 },
  ]);
  assert.deepEqual(findOverlaps([run(2, 0, 10), run(1, 0, 10), run(1, 20, 30), run(2, 29, 31)]), [
    { from: 0, until: 10, taskIds: [1, 2], mostAtOnce: 2 },
    { from: 29, until: 30, taskIds: [1, 2], mostAtOnce: 2 },
  ]);
});

Deno.test("neither runs that follow each other overlap, nor runs of one task", () => {
  assert.deepEqual(findOverlaps([run(1, 0, 10), run(2, 10, 20)]), []);
  assert.deepEqual(findOverlaps([run(1, 0, 10), run(1, 5, 15), run(2, 12, 14)]), []);
  assert.deepEqual(findOverlaps([]), []);
});

Deno.test("a moment is in an overlap exactly if two tasks are active then", () => {
  const runs = fc.array(
    fc.record({
      taskId: fc.integer({ min: 1, max: 4 }),
      at: fc.nat(30),
      length: fc.integer({ min: 1, max: 8 }),
    }),
    { maxLength: 12 },
  );
  fc.assert(fc.property(runs, (planned) => {
    const given = planned.map(({ taskId, at, length }) => run(taskId, at, at + length))
      .toSorted((a, b) => a.at - b.at);
    const busy = new Map<number, number>();
    const active = new Map<number, Set<number>>();
    for (const { taskId, at, until } of given) {
      if (at < (busy.get(taskId) ?? 0)) continue;
      busy.set(taskId, until);
      for (let moment = at; moment < until; moment++) {
        active.set(moment, (active.get(moment) ?? new Set()).add(taskId));
      }
    }
    const overlaps = findOverlaps(given);
    for (let moment = 0; moment < 40; moment++) {
      const ids = active.get(moment) ?? new Set();
      const within = overlaps.filter(({ from, until }) => from <= moment && moment < until);
      assert.equal(within.length, ids.size >= 2 ? 1 : 0);
      if (within.length === 1) {
        assert.ok([...ids].every((id) => within[0]!.taskIds.includes(id)));
        assert.ok(within[0]!.mostAtOnce >= ids.size);
      }
    }
  }));
});
