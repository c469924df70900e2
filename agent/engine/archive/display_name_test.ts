import assert from "node:assert/strict";
import { byteString } from "./bytes.ts";
import { displayName, foldName, nameFromDisplay } from "./display_name.ts";

Deno.test("names are displayed as UTF-8, with other bytes in octal", () => {
  for (const name of ["plain", "grün – 日本 😀", "\ufeffmark", "a\\b", "new\nline"]) {
    assert.equal(displayName(byteString(name)), name);
  }
  assert.equal(displayName("a\xff\xfe"), "a\\377\\376");
  // Bytes that look like UTF-8 but are not: an overlong form, a surrogate, a code point beyond the last, a
  // truncated character.
  assert.equal(displayName("\xc0\xaf"), "\\300\\257");
  assert.equal(displayName("\xed\xa0\x80"), "\\355\\240\\200");
  assert.equal(displayName("\xf4\x90\x80\x80"), "\\364\\220\\200\\200");
  assert.equal(displayName("\xe2\x82x\xc3\xbc"), "\\342\\202xü");
});

Deno.test("a name displayed in octal is converted back", () => {
  for (const name of ["a\xff\xfe", "\xe2\x82x\xc3\xbc", byteString("grün")]) {
    assert.equal(nameFromDisplay(displayName(name)), name);
  }
});

Deno.test("a search ignores case and the composition of accents", () => {
  for (const search of ["é", "É", "e\u0301", "E\u0301"]) {
    for (const name of ["café.txt", "cafe\u0301.txt", "CAFÉ"]) {
      assert.ok(foldName(name).includes(foldName(search)), `${search} in ${name}`);
    }
  }
});
