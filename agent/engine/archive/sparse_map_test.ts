/** Tests that sparse files read from an archive equal the original files. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { fills, sparseBytes } from "./sparse_map.ts";
import { contentLayout } from "./tar_headers.ts";

async function* inPieces(bytes: Uint8Array, length = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
  }
}

const MB = 2 ** 20;

/** Sparse files: the size of each, and the texts that are written into it at some positions. */
const FILES: Record<string, [size: number, written: [at: number, text: string][]]> = {
  "islands": [3 * MB, [0, 70_001, 1_048_570, 3_145_720].map((at) => [at, "island"])],
  "a hole only": [2 * MB, []],
  "a hole at the end": [MB, [[0, "start"]]],
  "a long map": [20 * MB, Array.from({ length: 2442 }, (_, index) => [index * 8192, `x${index * 8192}`])],
};

async function writeSparse(path: string, [size, written]: (typeof FILES)[string]): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  await file.truncate(size);
  for (const [at, text] of written) {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode(text));
  }
}

for (const [what, content] of Object.entries(FILES)) {
  Deno.test(`every range of a sparse file has the bytes of the file: ${what}`, async () => {
    const directory = await Deno.makeTempDir();
    await writeSparse(`${directory}/f`, content);
    await shell('cd "$1"; tar --format=posix --sparse -cf a.tar f', directory);
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
        const pieces: Uint8Array[] = [];
        reads = 0;
        for await (const piece of sparseBytes(segments, { from, to }, read)) pieces.push(piece.slice());
        const sent = Buffer.concat(pieces);
        assert.equal(sent.length, to - from);
        assert.ok(sent.equals(file.subarray(from, to)), `${from} to ${to}`);
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
