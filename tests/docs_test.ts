import assert from "node:assert/strict";
import { derivedDocuments } from "./docs.ts";

Deno.test("the documentation's derived parts are those of the definitions", async () => {
  for (const { path, text, derived } of await derivedDocuments()) {
    assert.equal(text, derived, `${path} is out of date. Run deno task docs.`);
  }
});
