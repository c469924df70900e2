import assert from "node:assert/strict";
import { partCount, partSize } from "./upload_parts.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

Deno.test("parts are 16 MiB until half as much again would not fit into 10,000 of them", () => {
  assert.equal(partSize(null), 16 * MIB);
  assert.equal(partSize(100 * GIB), 16 * MIB);
  assert.equal(partSize(105 * GIB), 17 * MIB);
  assert.equal(partSize(1024 * GIB), 158 * MIB);
  assert(1024 * GIB * 1.5 <= 10_000 * partSize(1024 * GIB)!);
});

Deno.test("parts have S3's minimum size if the last upload was slow", () => {
  assert.equal(partSize(GIB, 40_000), 5 * MIB);
  assert.equal(partSize(GIB, 40_000_000), 16 * MIB);
  assert.equal(partSize(105 * GIB, 40_000), 17 * MIB);
});

Deno.test("parts grow to 5 GiB, and an object that does not fit into 10,000 of those is refused", () => {
  assert.equal(partSize(40_000 * GIB), 5 * GIB);
  assert.equal(partSize(50_000 * GIB), 5 * GIB);
  assert.equal(partSize(50_000 * GIB + 1), null);
});

Deno.test("the short last part is counted", () => {
  assert.equal(partCount(0, 16), 0);
  assert.equal(partCount(16, 16), 1);
  assert.equal(partCount(17, 16), 2);
});
