import assert from "node:assert/strict";
import { planOf } from "./plan.ts";

Deno.test("a plan is a function of its seed alone", () => {
  for (let seed = 0; seed < 50; seed++) assert.deepEqual(planOf(seed), planOf(seed));
  assert.notDeepEqual(planOf(1), { ...planOf(2), seed: 1 });
});

Deno.test("a few hundred plans have every action in them, on every side", () => {
  const actions = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    for (const { action: { type } } of planOf(seed).faults) actions.set(type, (actions.get(type) ?? 0) + 1);
  }
  assert.equal(actions.size, 26);
  for (const [type, count] of actions) assert.ok(count >= 5, `${type}: ${count}`);
});
