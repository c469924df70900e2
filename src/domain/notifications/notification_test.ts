import assert from "node:assert/strict";
import { retryDelay } from "./notification.ts";

Deno.test("waits double from half a minute to two hours, and half of each is random", () => {
  const seconds = (attempts: number, random: number) => retryDelay(attempts, null, random) / 1000;
  assert.deepEqual([1, 2, 3, 8, 9, 1000].map((attempts) => seconds(attempts, 1)), [
    30,
    60,
    120,
    3840,
    7200,
    7200,
  ]);
  assert.deepEqual([1, 2, 1000].map((attempts) => seconds(attempts, 0)), [15, 30, 3600]);
});

Deno.test("a stream that follows runs waits four minutes at most", () => {
  assert.deepEqual([1, 2, 4, 1000].map((attempts) => retryDelay(attempts, null, 1, true) / 1000), [
    30,
    60,
    240,
    240,
  ]);
});

Deno.test("a requested wait is kept, but for a day at most", () => {
  assert.equal(retryDelay(1, 600_000, 0.5), 600_000);
  assert.equal(retryDelay(9, 600_000, 1), 7_200_000);
  assert.equal(retryDelay(1, 1e12, 0.5), 24 * 3_600_000);
});
