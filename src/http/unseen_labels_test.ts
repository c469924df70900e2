import assert from "node:assert/strict";
import { testApi } from "../../tests/support/clients/api.ts";

Deno.test("invisible labels and those that reverse text are refused; scripts and emoji are not", async () => {
  await using api = await testApi();
  const store = async (label: string) => (await api.admin.call("POST", "/api/tags", { label })).status;
  for (
    const code of [
      0xad,
      0x61c,
      0x200b,
      0x200e,
      0x200f,
      0x202e,
      0x2066,
      0x2069,
      0x2800,
      0x3164,
      0xfeff,
      0xe0041 - 0x30,
    ]
  ) {
    const unseen = String.fromCodePoint(code);
    assert.equal(await store(`ab${unseen}c`), 422, code.toString(16));
    assert.equal(await store(unseen), 422, code.toString(16));
  }
  assert.equal(await store("\u200d"), 422);
  assert.equal(await store("a\u200d"), 422);
  for (const label of ["süß", "عربى", "می\u200cخواهم", "👩\u200d💻", "❤\ufe0f", "日本語", "क\u094d\u200dष"]) {
    assert.equal(await store(label), 201, label);
  }
});
