import assert from "node:assert/strict";
import { TestClock } from "../../tests/support/fixtures/clock.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { GarbageCollection } from "./garbage.ts";

Deno.test("garbage is collected once soon after work ends, however many pieces of work end meanwhile", async () => {
  const clock = new TestClock();
  let collections = 0;
  const garbage = new GarbageCollection(clock, () => void collections++);
  for (let run = 0; run < 100; run++) garbage.soon();
  assert.equal(collections, 0);
  await clock.advance(1000);
  await until(() => collections === 1);
  await clock.advance(60_000);
  assert.equal(collections, 1);
  garbage.soon();
  await clock.advance(1000);
  await until(() => collections === 2);
});
