import assert from "node:assert/strict";
import { configureDelay, delayAt, deletionTime } from "./trash.ts";

const DAY = 86_400_000;
const day = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * DAY);

Deno.test("a shorter delay applies once the longer one has passed, a longer one at once", () => {
  const three = configureDelay(null, 3, day(0));
  assert.deepEqual(deletionTime(three, day(0)), day(3));
  const shorter = configureDelay(three, 0, day(10));
  assert.deepEqual(shorter, { days: 3, next: { days: 0, from: day(13) } });
  assert.deepEqual(deletionTime(shorter, day(12.9)), day(15.9));
  assert.deepEqual(deletionTime(shorter, day(13)), day(13));
  assert.deepEqual(configureDelay(three, 7, day(10)), { days: 7, next: null });
});

Deno.test("starting again neither restarts the wait for a shorter delay nor skips it", () => {
  const shorter = configureDelay({ days: 3, next: null }, 1, day(0));
  assert.deepEqual(configureDelay(shorter, 1, day(2)), shorter);
  assert.deepEqual(configureDelay(shorter, 1, day(4)), { days: 1, next: null });
  assert.deepEqual(configureDelay(shorter, 0, day(2)), { days: 3, next: { days: 0, from: day(5) } });
  assert.deepEqual(configureDelay(shorter, 3, day(2)), { days: 3, next: null });
  assert.deepEqual(delayAt(shorter, day(3)), { days: 1, next: null });
});
