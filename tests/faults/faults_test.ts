/** Carries out a few plans of `deno task faults`. docs/develop/reliability.md describes the long run. */
import assert from "node:assert/strict";
import { carryOutPlans } from "./carry_out_plans.ts";

/** The seeds of the plans. `deno task faults --seed N --count 1` shows and carries out the plan of seed N. */
const SEEDS = [309, 424, 471];

Deno.test("what is promised holds after plans that kill, cut and break what there is", async () => {
  const { left, outcomes } = await carryOutPlans(SEEDS);
  for (const { broken, plan, seed } of outcomes) {
    const again = `deno task faults --seed ${seed} --count 1`;
    assert.deepEqual(broken, [], [...plan, ...broken, `again: ${again}`].join("\n"));
  }
  assert.deepEqual(left, []);
});
