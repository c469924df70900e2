import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../../src/domain/clock.ts";
import { capture } from "../programs/capture.ts";
import { Children } from "../programs/children.ts";
import { startCompression } from "./compress.ts";
import { FrameWatch, HEADER_BYTES } from "./frames.ts";

const FRAME = 8 * 1024 * 1024;

async function compressed(plain: Uint8Array, level = 3): Promise<Uint8Array> {
  await using children = new Children(systemClock, new AbortController().signal);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, plain);
    const chunks: Uint8Array[] = [];
    const take = (chunk: Uint8Array) => void chunks.push(chunk.slice());
    const { streamed, finished } = startCompression(
      { from: path, into: null, take, clock: systemClock },
      { children, options: { compression_level: level, compression_threads: null } },
    );
    await Promise.all([streamed, finished]);
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    await Deno.remove(path);
  }
}

/** Writes a stream to a file, calls `look` with the stream's frames, and returns the result. */
async function inFile<T>(stream: Uint8Array, look: (frames: FrameWatch) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, stream);
    const frames = new FrameWatch(path);
    frames.push(stream);
    return await look(frames);
  } finally {
    await Deno.remove(path);
  }
}

function watch(stream: Uint8Array, step: number): FrameWatch {
  const frames = new FrameWatch();
  for (let at = 0; at < stream.length; at += step) frames.push(stream.subarray(at, at + step));
  return frames;
}

/** Returns `size` bytes: random bytes in the first frame, zeros after it, and a marker at the very end. */
function sample(size: number): Uint8Array {
  const plain = new Uint8Array(size);
  plain.set(randomBytes(Math.min(size, FRAME)));
  plain.set(new TextEncoder().encode("-- end").slice(-size), Math.max(0, size - 6));
  return plain;
}

Deno.test("the last bytes and the total size are determined from the last frames", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  for (const size of [1000, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 3]) {
    const plain = sample(size);
    const stream = await compressed(plain);
    const end = await watch(stream, 65_000).end(children);
    assert.equal(end.size, size);
    assert.deepEqual(await inFile(stream, (frames) => frames.end(children)), end);
    assert.deepEqual(end.tail, plain.slice(-65536), `tail of ${size}`);
  }
});

Deno.test("an empty stream has no bytes", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  assert.deepEqual(await watch(await compressed(new Uint8Array(0)), 5).end(children), {
    size: 0,
    incompressible: 0,
    tail: new Uint8Array(0),
    frames: { uncompressed: 0, compressed: [13], checksums: ["51d8e999"] },
  });
});

Deno.test("incompressible bytes are counted by whole frames", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const noise = (at: number, size: number) => {
    const plain = new Uint8Array(2 * FRAME + 5000);
    plain.set(randomBytes(size), at);
    return plain;
  };
  const incompressible = async (plain: Uint8Array) =>
    (await watch(await compressed(plain), 65_000).end(children)).incompressible;
  assert.equal(await incompressible(noise(0, 0)), 0);
  assert.equal(await incompressible(noise(0, FRAME)), FRAME);
  assert.equal(await incompressible(noise(FRAME, FRAME)), FRAME);
  assert.equal(await incompressible(noise(2 * FRAME, 5000)), 5000);
  assert.equal(await incompressible(noise(0, 2 * FRAME + 5000)), 2 * FRAME + 5000);
  // A frame counts as incompressible only if nearly all of its bytes are incompressible.
  assert.equal(await incompressible(noise(0, FRAME * 0.85)), 0);
  assert.equal(await incompressible(noise(0, FRAME * 0.95)), FRAME);
  assert.equal(await incompressible(new Uint8Array(randomBytes(100))), 100);
});

Deno.test("frame headers may be split across chunks at any byte", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const stream = await compressed(new Uint8Array(2 * FRAME + 77));
  for (const step of [1, 7, 11, 13]) {
    assert.equal((await watch(stream, step).end(children)).size, 2 * FRAME + 77);
  }
});

Deno.test("each frame's checksum is the one that zstd lists, at any chunk size", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const stream = await compressed(sample(2 * FRAME + 77));
  for (const step of [1, 7, 65_000, stream.length]) {
    const { compressed, checksums } = (await watch(stream, step).end(children)).frames;
    let at = 0;
    const listed: string[] = [];
    for (const size of compressed) {
      listed.push(await listedChecksum(stream.subarray(at + HEADER_BYTES, at += HEADER_BYTES + size)));
    }
    assert.equal(listed.length, 3);
    assert.deepEqual(checksums, listed);
  }
});

/** Uncompressed size of a frame in MB, by compression level. */
const FRAME_SIZES = { 0: 2, 1: 2, 3: 8, 9: 16, 19: 32 };

for (const [level, megabytes] of Object.entries(FRAME_SIZES)) {
  Deno.test(`frames of level ${level} are read like any other`, async () => {
    await using children = new Children(systemClock, new AbortController().signal);
    const frame = megabytes * 1024 * 1024;
    const noise = frame + 3;
    const plain = new Uint8Array(2 * frame + 5000);
    for (let at = 0; at < noise; at += FRAME) {
      plain.set(randomBytes(Math.min(FRAME, noise - at)), at);
    }
    plain.set(new TextEncoder().encode("-- end"), plain.length - 6);
    const stream = await compressed(plain, Number(level));
    const end = await watch(stream, 65_000).end(children);
    assert.equal(end.size, plain.length);
    assert.deepEqual(end.tail, plain.slice(-65536));
    assert.equal(end.frames.uncompressed, frame);
    if (level !== "0") assert.equal(end.incompressible, frame);
    assert.deepEqual(await inFile(stream, (frames) => frames.end(children)), end);
    // The stock zstd can unpack the frames.
    const path = await Deno.makeTempFile({ suffix: ".zst" });
    await Deno.writeFile(path, stream);
    const { stdout } = await new Deno.Command("zstd", { args: ["-dc", path] }).output();
    await Deno.remove(path);
    assert.deepEqual(stdout, plain);
    const last = stream.subarray(stream.length - end.frames.compressed.at(-1)!);
    assert.equal(end.frames.checksums!.at(-1), await listedChecksum(last));
  });
}

Deno.test("level 0 stores bytes as they are", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const text = new TextEncoder().encode("all work and no play\n".repeat(300_000));
  const stream = await compressed(text, 0);
  assert.ok(stream.length > text.length && stream.length < text.length * 1.001, String(stream.length));
  assert.equal((await watch(stream, 65_000).end(children)).size, text.length);
  const empty = await watch(await compressed(new Uint8Array(0), 0), 5).end(children);
  assert.equal(empty.size, 0);
  const exact = await watch(await compressed(text.subarray(0, 4 * 1024 * 1024), 0), 65_000).end(children);
  assert.equal(exact.frames.compressed.length, 2);
});

async function listedChecksum(frame: Uint8Array): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".zst" });
  try {
    await Deno.writeFile(path, frame);
    const { stdout } = await new Deno.Command("zstd", { args: ["-lv", path] }).output();
    return /^Check: XXH64 ([0-9a-f]{8})$/m.exec(new TextDecoder().decode(stdout))![1]!;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("the first bytes of a long stream can be unpacked", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  for (
    const plain of [sample(3 * FRAME), new Uint8Array(3 * FRAME), new TextEncoder().encode("PGDMP tiny")]
  ) {
    const stream = await compressed(plain);
    const start = await watch(stream, 65_536).start(children);
    assert.deepEqual(await inFile(stream, (frames) => frames.start(children)), start);
    assert.ok(start.length >= 5);
    assert.deepEqual(start, plain.slice(0, start.length));
  }
});

Deno.test("a stream that is truncated, damaged at its end or not pzstd's is refused", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const stream = await compressed(sample(FRAME + 5000));
  await assert.rejects(watch(stream.slice(0, -1), 65_536).end(children), /cut short/);
  const damaged = stream.slice();
  damaged[damaged.length - 2]! ^= 1;
  await assert.rejects(watch(damaged, 65_536).end(children), /do not unpack/);
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, sample(1000));
  const plain = await capture(children, { program: "cat", args: [path] });
  assert.throws(() => watch(new TextEncoder().encode(plain.stdout), 100), /not preceded by their size/);
  await Deno.remove(path);
});
