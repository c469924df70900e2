import assert from "node:assert/strict";
import { activeSpan, inside, isTraceparent, startInnerSpan, startSpan, traceparentOf } from "./tracing.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("where nothing is traced, a parent is passed on as it came and no trace begins", () => {
  assert.equal(traceparentOf(startSpan("work", {}, PARENT)), PARENT);
  assert.equal(traceparentOf(startSpan("work", {})), undefined);
  assert.equal(traceparentOf(undefined), undefined);
  assert.equal(inside(startSpan("work", {}, PARENT), () => activeSpan()), undefined);
  assert.equal(startInnerSpan("tar", {}), null);
});

Deno.test("what is no parent begins no trace, whatever a peer sends", () => {
  for (
    const text of [
      "",
      "x",
      PARENT.toUpperCase(),
      `${PARENT}-more`,
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    ]
  ) {
    assert.equal(isTraceparent(text), false);
    assert.equal(traceparentOf(startSpan("work", {}, text)), undefined);
  }
});
