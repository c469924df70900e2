import assert from "node:assert/strict";
import { parseRange, resolveRange } from "./byte_range.ts";

Deno.test("a single range is parsed as in RFC 9110, anything else requests everything", () => {
  const of = (header: string | null, size = 10) => resolveRange(parseRange(header), size);
  assert.deepEqual(of("bytes=0-3"), { from: 0, to: 4 });
  assert.deepEqual(of("bytes=4-"), { from: 4, to: 10 });
  assert.deepEqual(of("bytes=-3"), { from: 7, to: 10 });
  assert.deepEqual(of("bytes=-30"), { from: 0, to: 10 });
  assert.deepEqual(of("bytes=8-99"), { from: 8, to: 10 });
  for (const whole of [null, "bytes=-", "bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b"]) {
    assert.deepEqual(of(whole), { from: 0, to: 10 }, String(whole));
  }
  for (const none of ["bytes=10-", "bytes=99-100", "bytes=-0"]) assert.equal(of(none), null, none);
});
