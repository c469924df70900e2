import assert from "node:assert/strict";
import { visible } from "./terminal.ts";

Deno.test("control characters are made visible; line breaks stay", () => {
  assert.equal(visible("a\x1b[2J\x07\r\x9bb\n\tc\u00e9"), "a\ufffd[2J\ufffd\ufffd\ufffdb\n\tc\u00e9");
});
