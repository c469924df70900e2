import assert from "node:assert/strict";
import { pack, Selection, unpack } from "./selection.ts";

Deno.test("a selection keeps what is checked from page to page, without paths inside chosen directories", () => {
  const first = Selection.none.after(["etc", "html", "a"], ["etc", "a"]);
  assert.deepEqual(first.paths, ["a", "etc"]);
  const second = first.after(["html/1", "html/2"], ["html/2"]);
  assert.deepEqual(second.paths, ["a", "etc", "html/2"]);
  const third = second.after(["etc", "html", "a"], ["html"]);
  assert.deepEqual(third.paths, ["html"], "unchecked ones are gone, and html contains html/2");
  assert.equal(third.directoryOf("html/img/1.jpg"), "html");
  assert.equal(third.directoryOf("html"), null);
  assert.equal(third.directoryOf("html2/x"), null);
});

Deno.test("a selection passes through an address, also a large one, and ends where an address does", () => {
  const through = (selection: Selection) => {
    const fields = selection.fields();
    const plain = fields.flatMap(([name, value]) => name === "paths[]" ? [value] : []);
    return Selection.read(plain, fields.find(([name]) => name === "chosen")?.[1] ?? "");
  };
  const odd = Selection.of(["a\nb", "c d&e=%f", "ä\u202e", "\\377"]);
  assert.deepEqual(through(odd).paths, odd.paths);
  assert.ok(odd.fields().every(([, value]) => !value.includes("\n")), "browsers change line breaks in forms");
  const many = Selection.of(Array.from({ length: 900 }, (_, index) => `html/img/photo-${index}.jpg`));
  assert.deepEqual(many.fields().map(([name]) => name), ["chosen"]);
  assert.deepEqual(through(many).paths, many.paths);
  assert.ok(many.fits);
  assert.ok(!Selection.of(Array.from({ length: 1001 }, (_, index) => `${index}`)).fits);
  assert.ok(!Selection.of(Array.from({ length: 900 }, () => crypto.randomUUID())).fits, "too long to send");
  assert.deepEqual(unpack("no such thing"), []);
  assert.deepEqual(unpack(pack(["\0".repeat(6_000_000)])), [], "a small text that unpacks to a huge one");
});
