import assert from "node:assert/strict";
import { HandshakeLimiter } from "./handshake_limiter.ts";

Deno.test("a limited number of agents enters at a time, in order; agents that have left are skipped", async () => {
  const greetings = new HandshakeLimiter();
  let atOnce = 0;
  let most = 0;
  const entered: number[] = [];
  const gone = new Set([10, 11, 30]);
  const ends = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      greetings.enter(() => !gone.has(i), async () => {
        most = Math.max(most, ++atOnce);
        entered.push(i);
        await Promise.resolve();
        atOnce--;
        return i;
      })),
  );
  assert.equal(most, 6);
  assert.deepEqual(ends, Array.from({ length: 50 }, (_, i) => gone.has(i) ? null : i));
  assert.deepEqual(entered, ends.filter((end) => end !== null));
});

Deno.test("a failed handshake makes room for the next", async () => {
  const greetings = new HandshakeLimiter();
  const fail = () => greetings.enter(() => true, () => Promise.reject(new Error("away")));
  const ends = await Promise.allSettled(Array.from({ length: 20 }, fail));
  assert.ok(ends.every(({ status }) => status === "rejected"));
  assert.equal(await greetings.enter(() => true, () => Promise.resolve("in")), "in");
});
