import assert from "node:assert/strict";
import { frameTableText, IndexParser, type Member } from "./archive_index.ts";
import { joinRanges } from "./archive_ranges.ts";

const line = (start: string, names: string) =>
  `block 3: ${start} 0/0     6 2026-01-02 03:04:05.5     ${names}`;

function member(text: string): Member {
  return new IndexParser().line(text)!;
}

Deno.test("a line is parsed into a member's block, type, owner, time and name of any bytes", () => {
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

Deno.test("names and hard link targets that lead out of the backup are rejected", () => {
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

Deno.test("lines that are not members are counted, and the other lines are parsed", () => {
  const parser = new IndexParser();
  assert.equal(parser.line("anything"), null);
  assert.equal(parser.line(line("-rw-r--r--", '"./a"'))!.name, "a");
  assert.equal(parser.line('block x: "./b"'), null);
  assert.deepEqual(parser.unreadable, { count: 2, first: "anything" });
  const odd = member('block 7: who knows "./c"');
  assert.deepEqual([odd.block, odd.name, odd.type, odd.size, odd.modifiedAt], [7, "c", "unknown", 0, null]);
});

Deno.test("times of any year are converted to ISO 8601", () => {
  const time = (text: string) => member(`block 3: -rw-r--r-- 0/0     6 ${text}   "./a"`).modifiedAt;
  assert.equal(time("999-12-31 00:00:00"), "0999-12-31T00:00:00Z");
  assert.equal(time("0-12-31 23:59:59"), "0000-12-31T23:59:59Z");
  assert.equal(time("12345-01-01 00:00:00.25"), "+012345-01-01T00:00:00.25Z");
  assert.equal(time("-1199-02-15 14:13:21"), "-001199-02-15T14:13:21Z");
  for (const far of ["3170843-11-07 09:46:39", "-2147481608-01-02 00:00:01", "9000000000000000000", "?"]) {
    assert.equal(time(far), null);
  }
  for (const near of ["271820-12-31 23:59:59", "-271820-01-01 00:00:00", "999-01-01 00:00:00"]) {
    assert(!Number.isNaN(Date.parse(time(near)!)), near);
  }
});

Deno.test("an incomplete frame table is ignored", () => {
  const table = { uncompressed: 100, size: 250, compressed: [10, 20, 5] };
  const parse = (text: string) => {
    const parser = new IndexParser();
    for (const line of text.trimEnd().split("\n")) assert.equal(parser.line(line), null);
    assert.equal(parser.unreadable, null);
    return parser.table();
  };
  // In the tables of the first releases, the checksums are missing, or each is a SHA-256. Both kinds of table
  // are read as tables without checksums.
  for (const checksums of [["a", "b", "c"].map((digit) => digit.repeat(8)), null]) {
    assert.deepEqual(parse(frameTableText({ ...table, checksums }, 250)), { ...table, checksums });
  }
  const hashed = table.compressed.map((bytes) => `${bytes} ${"a".repeat(64)}`).join("\n");
  assert.deepEqual(parse(`frames 100 250\n${hashed}\n`), { ...table, checksums: null });
  // If the checksum of one frame is missing, all checksums of the table are ignored. The whole archive is
  // then verified before any part of it is used.
  const half = parse(`frames 100 150\n10 ${"a".repeat(8)}\n20\n`);
  assert.deepEqual(half, { uncompressed: 100, size: 150, compressed: [10, 20], checksums: null });
  assert.equal(parse("frames 80000000 90000000\n1\n2\n"), null);
  assert.equal(parse("frames 100 250\n10\n"), null);
  assert.equal(parse(`frames 100 150\n10 ${"a".repeat(8)}\n20 ${"a".repeat(7)}\n`), null);
});

Deno.test("adjacent ranges are joined, in order", () => {
  const ranges = [{ from: 50, to: 60 }, { from: 0, to: 10 }, { from: 10, to: 20 }, { from: 55, to: 58 }];
  assert.deepEqual(joinRanges(ranges), [{ from: 0, to: 20 }, { from: 50, to: 60 }]);
});
