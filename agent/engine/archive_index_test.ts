import assert from "node:assert/strict";
import { frameTableText, IndexParser, type Member } from "./archive_index.ts";
import { joinRanges } from "./archive_ranges.ts";

const line = (start: string, names: string) =>
  `block 3: ${start} 0/0     6 2026-01-02 03:04:05.5     ${names}`;

function member(text: string): Member {
  return new IndexParser().line(text)!;
}

Deno.test("a line tells a member's place, type, owner, time and name, whatever bytes it has", () => {
  assert.deepEqual(member(line("-rw-r--r--*", '"./a b/\\"q\\\\\\n\\377ü"')), {
    block: 3,
    type: "file",
    mode: "rw-r--r--",
    uid: 0,
    gid: 0,
    size: 6,
    modifiedAt: "2026-01-02T03:04:05.5Z",
    name: 'a b/"q\\\n\xff\xc3\xbc',
    linkTarget: null,
  });
  assert.equal(member(line("drwxr-xr-x", '"./"')).name, "");
  const link = member(line("lrwxrwxrwx", '"./x -> y" -> "/anywhere/../else"'));
  assert.deepEqual([link.type, link.name, link.linkTarget, link.size], [
    "symlink",
    "x -> y",
    "/anywhere/../else",
    0,
  ]);
  assert.equal(member(line("hrw-r--r--", '"./b" link to "./a"')).linkTarget, "a");
  assert.equal(member('block 9: crw-r--r-- 0/0 1,3 2026-01-02 03:04:05 "./null"').type, "character_device");
});

Deno.test("a name that leads out of the backup is refused, a hard link's too", () => {
  for (
    const names of [
      '"../up"',
      '"./a/../../up"',
      '"/etc/passwd"',
      '"./a" link to "../up"',
      '"./a" link to "/etc/x"',
    ]
  ) {
    assert.throws(() => member(line("hrw-r--r--", names)), /leads out of the backup/);
  }
});

Deno.test("what is no index is refused, and so is one without all of its frames", () => {
  assert.throws(() => member("anything"), /Cannot read the index/);
  const table = { uncompressed: 100, size: 250, compressed: [10, 20, 5] };
  const parse = (text: string) => {
    const parser = new IndexParser();
    for (const line of text.trimEnd().split("\n")) assert.equal(parser.line(line), null);
    return parser.table();
  };
  // The first indexes had nothing or a SHA-256 in the checksum's place.
  for (const checksums of [["a", "b", "c"].map((digit) => digit.repeat(8)), null]) {
    assert.deepEqual(parse(frameTableText({ ...table, checksums }, 250)), { ...table, checksums });
  }
  const hashed = table.compressed.map((bytes) => `${bytes} ${"a".repeat(64)}`).join("\n");
  assert.deepEqual(parse(`frames 100 250\n${hashed}\n`), { ...table, checksums: null });
  assert.throws(() => parse(`frames 80000000 90000000\n1\n2\n`), /frames of 80000000 bytes are too large/);
  const cut = new IndexParser();
  cut.line("frames 100 250");
  cut.line("10");
  assert.throws(() => cut.table(), /does not tell the archive's frames/);
  const half = new IndexParser();
  for (const line of ["frames 100 150", `10 ${"a".repeat(8)}`, "20"]) half.line(line);
  assert.throws(() => half.table(), /does not tell each frame's checksum/);
  assert.throws(() => half.line(`20 ${"a".repeat(7)}`), /Cannot read the index/);
});

Deno.test("ranges that touch are joined, in order", () => {
  const ranges = [{ from: 50, to: 60 }, { from: 0, to: 10 }, { from: 10, to: 20 }, { from: 55, to: 58 }];
  assert.deepEqual(joinRanges(ranges), [{ from: 0, to: 20 }, { from: 50, to: 60 }]);
});
