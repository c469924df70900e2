import assert from "node:assert/strict";
import { movedDirectory } from "./location.ts";

Deno.test("a directory below the base moves with it", () => {
  assert.equal(movedDirectory("/a/b/c", "/a", "/x"), "/x/b/c");
  assert.equal(movedDirectory("/a", "/a", "/x"), "/x");
  assert.equal(movedDirectory("/ab", "/a", "/x"), null);
  assert.equal(movedDirectory("a/b", ".", "up"), "up/a/b");
});

Deno.test("a key prefix is kept unchanged, and so is the bucket's root", () => {
  assert.equal(movedDirectory("", "", ""), "");
  assert.equal(movedDirectory("a/b", "", ""), "a/b");
});
