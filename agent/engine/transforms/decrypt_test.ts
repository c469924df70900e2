import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import { ageEncrypt, ageEncryptTo, ageKeygen } from "../../../tests/support/fixtures/age.ts";
import {
  collect,
  decrypt,
  headerLength,
  inPieces,
  libraryEncrypt,
  libraryEncryptWith,
  open,
  rangeOf,
  readAll,
} from "../../../tests/support/fixtures/age_files.ts";
import { testAlone } from "../../../tests/support/alone.ts";
import { Children } from "../programs/children.ts";
import { openHeader } from "./age_header.ts";
import { CHUNK_BYTES, Payload } from "./age_payload.ts";
import { type DecryptionKey, decryptStream } from "./decrypt.ts";

const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 777];
const { identity, recipient } = await ageKeygen();
const KEY: DecryptionKey = { type: "identity", identity };

/** Yields the bytes in chunks that all share one buffer, as those of a socket might. */
async function* inReusedBuffer(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(40_000);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const piece = bytes.subarray(at, at + buffer.length);
    buffer.fill(0);
    buffer.set(piece);
    yield await Promise.resolve(buffer.subarray(0, piece.length));
  }
}

Deno.test("files of the age program and the library are decrypted, at and around the chunk size", async () => {
  for (const size of SIZES) {
    const plain = new Uint8Array(randomBytes(size));
    for (const encrypt of [ageEncryptTo, libraryEncrypt]) {
      const sealed = await encrypt(plain, [recipient]);
      assert.deepEqual(await decrypt(inPieces(sealed, 9999), KEY), plain);
      assert.deepEqual(await decrypt(inReusedBuffer(sealed), KEY), plain);
      assert.deepEqual(await readAll(sealed, KEY), plain);
    }
  }
});

Deno.test("a password opens files that the age program and the library encrypted with it", async () => {
  const plain = new Uint8Array(randomBytes(100_000));
  const passphrase = `pass "word" $HOME é`;
  const key: DecryptionKey = { type: "passphrase", passphrase };
  for (const sealed of [await ageEncrypt(plain, passphrase), await libraryEncryptWith(passphrase, plain)]) {
    assert.deepEqual(await decrypt(inPieces(sealed), key), plain);
    assert.deepEqual(await readAll(sealed, key), plain);
  }
});

Deno.test("any of several identities opens a file with several recipients, including post-quantum ones", async () => {
  const plain = new TextEncoder().encode("for many");
  const [first, second] = [await generateX25519Identity(), await generateHybridIdentity()];
  const recipients = [recipient, await identityToRecipient(first), await identityToRecipient(second)];
  const many = [...Array(29)].map(async () => await identityToRecipient(await generateX25519Identity()));
  const sealed = await libraryEncrypt(plain, [...await Promise.all(many), ...recipients]);
  const stranger = await generateX25519Identity();
  for (const one of [identity, first, second, `# mine\n\n${stranger}\r\n  ${second}\n`]) {
    assert.deepEqual(await readAll(sealed, { type: "identity", identity: one }), plain);
  }
});

Deno.test("any range can be read, and reads only the chunks that it overlaps", async () => {
  const plain = new Uint8Array(randomBytes(5 * CHUNK_BYTES + 321));
  const sealed = await libraryEncrypt(plain, [recipient]);
  let bytesRead = 0;
  const object = await open(sealed, KEY, (from, to) => {
    bytesRead += to - from;
    return rangeOf(sealed)(from, to);
  });
  assert.equal(object.size, plain.length);
  const borders = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES, plain.length];
  const random = [...Array(40)].map(() => Math.floor(Math.random() * (plain.length + 1)));
  for (const from of [...borders, ...random.slice(20)]) {
    for (const to of [...borders, ...random.slice(0, 20)].filter((to) => to >= from)) {
      bytesRead = 0;
      assert.deepEqual(await collect(object.read(from, to)), plain.subarray(from, to), `${from} to ${to}`);
      assert.ok(bytesRead <= to - from + 2 * CHUNK_BYTES + 7 * 16);
    }
  }
  await assert.rejects(collect(object.read(0, plain.length + 1)), RangeError);
});

Deno.test("an error of the source is passed on unchanged, and the source is closed when reading stops", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(4 * CHUNK_BYTES), [recipient]);
  let closed = 0;
  async function* failing(at: number): AsyncIterable<Uint8Array> {
    try {
      yield* inPieces(sealed.subarray(0, at));
      throw new TypeError("the connection broke");
    } finally {
      closed++;
    }
  }
  await assert.rejects(decrypt(failing(100_000), KEY), new TypeError("the connection broke"));
  await using children = new Children(systemClock, new AbortController().signal);
  for await (const _ of decryptStream(failing(200_000), KEY, children)) break;
  assert.equal(closed, 2);
});

Deno.test("a run that is aborted while the key is derived rejects with the abort's reason", async () => {
  const sealed = await libraryEncryptWith("right", new Uint8Array(10));
  const run = new AbortController();
  await using children = new Children(systemClock, run.signal);
  run.abort(new Error("cancelled by hand"));
  const key: DecryptionKey = { type: "passphrase", passphrase: "right" };
  await assert.rejects(collect(decryptStream(inPieces(sealed), key, children)), /cancelled by hand/);
});

/** The V8 flags of the agent. With `--expose-gc`, the agent's code can start garbage collections itself. */
const AGENT_FLAGS = ["--expose-gc", "--max-semi-space-size=1", "--single-threaded-gc"];

testAlone(import.meta.url, "memory stays flat however long the stream is", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(CHUNK_BYTES * 64), [recipient]);
  const start = headerLength(sealed) + 16;
  await using children = new Children(systemClock, new AbortController().signal);
  const fileKey = await openHeader(sealed.subarray(0, start - 16), KEY, children);
  const payload = new Payload(fileKey, sealed.subarray(start - 16, start), start);
  const CHUNKS = 6000;
  async function* long(): AsyncIterable<Uint8Array> {
    yield sealed.subarray(0, start);
    const plain = new Uint8Array(CHUNK_BYTES);
    for (let index = 0; index < CHUNKS; index++) {
      yield* await Promise.resolve(payload.seal(index, index === CHUNKS - 1, plain));
    }
  }
  let [length, before, highest] = [0, 0, 0];
  for await (const piece of decryptStream(long(), KEY, children)) {
    length += piece.length;
    if (length === 500 * CHUNK_BYTES) before = Deno.memoryUsage().rss;
    highest = Math.max(highest, Deno.memoryUsage().rss);
  }
  assert.equal(length, CHUNKS * CHUNK_BYTES);
  assert.ok(highest - before < 128 * 1024 * 1024, `grew by ${highest - before} bytes`);
}, AGENT_FLAGS);
