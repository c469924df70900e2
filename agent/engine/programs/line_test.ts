import assert from "node:assert/strict";
import { LineSplitter, oneLine, printable } from "./line.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function split(...chunks: Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

Deno.test("lines are joined across chunks, and the last may lack its line end", () => {
  assert.deepEqual(split(bytes("one\ntw"), bytes("o\n\nth"), bytes("ree")), ["one", "two", "", "three"]);
});

Deno.test("a character that is split across two chunks is decoded", () => {
  const text = bytes("é\n");
  assert.deepEqual(split(text.subarray(0, 1), text.subarray(1)), ["é"]);
});

Deno.test("an endless line is cut, and the next line is complete", () => {
  const lines = split(bytes("x".repeat(100_000)), bytes("y\nnext\n"));
  assert.equal(lines[0], `${"x".repeat(8192)} … (cut)`);
  assert.equal(lines[1], "next");
});

Deno.test("bytes that are not text are escaped and stay on one line", () => {
  assert.equal(
    printable(new Uint8Array([0x61, 0xff, 0x0a, 0x0d, 0xc3, 0xa9, 0xe2, 0x82])),
    "a\\xff\\n\\x0dé\\xe2\\x82",
  );
  assert.equal(printable(bytes("\u202egnp.exe\u2028")), "\\u{202e}gnp.exe\\u{2028}");
});

Deno.test("a message of several lines becomes one", () => {
  assert.equal(oneLine("refused\n\tIs the server running?\n"), "refused Is the server running?");
});
