import assert from "node:assert/strict";
import { readAhead } from "./read_ahead.ts";

Deno.test("the next chunk is produced while the current one is processed, in the same buffer", async () => {
  const asked: number[] = [];
  async function* source() {
    const buffer = new Uint8Array(1);
    for (let each = 1; each <= 3; each++) {
      asked.push(each);
      buffer[0] = each;
      await Promise.resolve();
      yield buffer;
    }
  }
  const taken: number[] = [];
  for await (const chunk of readAhead(source())) {
    while (taken.length < 2 && asked.length < taken.length + 2) await Promise.resolve();
    taken.push(chunk[0]!);
  }
  assert.deepEqual(taken, [1, 2, 3]);
});

Deno.test("stopping early closes the source, and a failure is thrown after the chunks before it", async () => {
  let closed = 0;
  async function* source() {
    try {
      yield new Uint8Array([1]);
      yield new Uint8Array([2]);
      throw new Error("unreadable");
    } finally {
      closed++;
      await Promise.resolve();
    }
  }
  for await (const _ of readAhead(source())) break;
  assert.equal(closed, 1);
  const taken: number[] = [];
  const reading = async () => {
    for await (const chunk of readAhead(source())) taken.push(chunk[0]!);
  };
  await assert.rejects(reading, /unreadable/);
  assert.deepEqual(taken, [1, 2]);
  assert.equal(closed, 2);
});
