/** Compares sparse files in an archive with the files themselves. */
import assert from "node:assert/strict";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { fills, sparseBytes } from "./sparse_map.ts";
import { contentLayout } from "./tar_headers.ts";

async function* inPieces(bytes: Uint8Array, length = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
  }
}

const FILES: Record<string, string> = {
  "islands": "truncate -s 3M f; for at in 0 70001 1048570 3145720; do printf island | " +
    "dd of=f bs=1 seek=$at conv=notrunc status=none; done",
  "a hole only": "truncate -s 2M f",
  "a hole at the end": "printf start > f; truncate -s 1M f",
  "a long map": "truncate -s 20M f; for at in $(seq 0 8192 20000000); do printf x$at | " +
    "dd of=f bs=4096 seek=$((at / 4096)) conv=notrunc status=none; done",
};

for (const [what, script] of Object.entries(FILES)) {
  Deno.test(`every range of a sparse file has the bytes of the file: ${what}`, async () => {
    const directory = await Deno.makeTempDir();
    await shell(`cd "$1"; ${script}; tar --format=posix --sparse -cf a.tar f`, directory);
    const [tar, file] = [await Deno.readFile(`${directory}/a.tar`), await Deno.readFile(`${directory}/f`)];
    await Deno.remove(directory, { recursive: true });
    const layout = await contentLayout(inPieces(tar), file.length);
    assert(layout?.segments, "the file has a map");
    const { offset, segments } = layout;
    let reads = 0;
    const read = (from: number, to: number) => {
      reads++;
      return inPieces(tar.subarray(offset + from, offset + to));
    };
    const ends = [0, 1, 5, 4096, 70_000, 70_004, 1_048_571, file.length - 9, file.length - 1, file.length];
    for (const [at, from] of ends.entries()) {
      for (const to of ends.slice(at + 1)) {
        if (from < 0 || to > file.length || from >= to) continue;
        const pieces: Uint8Array<ArrayBuffer>[] = [];
        reads = 0;
        for await (const piece of sparseBytes(segments, { from, to }, read)) pieces.push(piece.slice());
        const sent = new Uint8Array(await new Blob(pieces).arrayBuffer());
        assert.equal(sent.length, to - from);
        assert.ok(sent.every((byte, index) => byte === file[from + index]), `${from} to ${to}`);
        assert.ok(reads <= 1);
      }
    }
  });
}

Deno.test("a map that does not fit the file is rejected", () => {
  assert.equal(fills([{ from: 0, size: 5 }, { from: 10, size: 0 }], 5, 10), true);
  assert.equal(fills([{ from: 0, size: 5 }, { from: 4, size: 5 }], 10, 20), false);
  assert.equal(fills([{ from: 8, size: 5 }], 5, 10), false);
  assert.equal(fills([{ from: 0, size: 5 }], 6, 10), false);
});
