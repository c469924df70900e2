import assert from "node:assert/strict";
import fc from "fast-check";
import { beyondCount } from "./retention.ts";

Deno.test("retention keeps the newest, never none, and all when the count is 0", () => {
  fc.assert(fc.property(fc.array(fc.integer()), fc.nat(20), (backups, keep) => {
    const out = beyondCount(backups, keep);
    if (keep === 0) return assert.deepEqual(out, []);
    assert.equal(out.length, Math.max(0, backups.length - keep));
    assert.deepEqual([...backups.slice(0, keep), ...out], backups);
  }));
});
