import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Decrypter } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import { ageDecrypt, ageDecryptWith, ageKeygen } from "../../../tests/support/fixtures/age.ts";
import { testAlone } from "../../../tests/support/alone.ts";
import { Children } from "../programs/children.ts";
import { type ReadRange, SealedObject } from "./decrypt.ts";
import { type EncryptionKey, encryptTo, makeFileKey } from "./encrypt.ts";
import { deriveKey, WORK_FACTOR } from "./scrypt.ts";
import type { Sink } from "./sink.ts";

class Collected implements Sink {
  readonly chunks: Uint8Array[] = [];
  write(chunk: Uint8Array): Promise<void> {
    this.chunks.push(chunk.slice());
    return Promise.resolve();
  }
  end(): Promise<void> {
    return Promise.resolve();
  }
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.chunks.flatMap((chunk) => [...chunk]));
  }
}

async function encrypt(plain: Uint8Array, passphrase: string, pieces = 1): Promise<Uint8Array<ArrayBuffer>> {
  return await encryptWith(plain, { type: "password", password: passphrase }, pieces);
}

async function encryptWith(
  plain: Uint8Array,
  key: EncryptionKey,
  pieces = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  await using children = new Children(systemClock, new AbortController().signal);
  const collected = new Collected();
  const sink = await encryptTo(collected, await makeFileKey(key, children));
  const step = Math.ceil(plain.length / pieces);
  for (let at = 0; at < plain.length; at += step) await sink.write(plain.subarray(at, at + step));
  await sink.end();
  return collected.bytes;
}

async function decrypt(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return await decrypter.decrypt(sealed);
}

Deno.test("encrypted bytes decrypt to the same bytes, at and around the chunk size", async () => {
  for (const size of [0, 65536, 17 * 65536 + 1]) {
    const plain = new Uint8Array(randomBytes(size));
    const opened = await ageDecrypt(await encrypt(plain, "correct horse", 7), "correct horse");
    assert.deepEqual(
      createHash("sha256").update(opened).digest(),
      createHash("sha256").update(plain).digest(),
    );
  }
});

testAlone(import.meta.url, "the age program and another implementation decrypt it", async () => {
  const plain = new Uint8Array(randomBytes(300_000));
  const passphrase = `pass "word" $HOME é`;
  const sealed = await encrypt(plain, passphrase);
  assert.deepEqual(await ageDecrypt(sealed, passphrase), plain);
  assert.deepEqual(await decrypt(sealed, passphrase), plain);
});

Deno.test("each recipient decrypts it alone, with the age program and the library", async () => {
  const keys = [await ageKeygen(), await ageKeygen()];
  const key: EncryptionKey = { type: "recipients", recipients: keys.map(({ recipient }) => recipient) };
  for (const size of [0, 1, 65535, 65536, 65537, 16 * 65536, 16 * 65536 + 1]) {
    const plain = new Uint8Array(randomBytes(size));
    const sealed = await encryptWith(plain, key, 3);
    for (const { identity } of keys) {
      assert.deepEqual(await ageDecryptWith(sealed, identity), plain);
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-1"))!);
      assert.deepEqual(await decrypter.decrypt(sealed), plain);
    }
  }
  const stranger = await ageKeygen();
  await assert.rejects(
    ageDecryptWith(await encryptWith(new Uint8Array(1), key), stranger.identity),
    /no identity matched/,
  );
});

Deno.test("its own decryption reads encrypted files, completely and in part", async () => {
  const { identity, recipient } = await ageKeygen();
  const plain = new Uint8Array(randomBytes(20 * 65536 + 5));
  const sealed = await encryptWith(plain, { type: "recipients", recipients: [recipient] }, 9);
  await using children = new Children(systemClock, new AbortController().signal);
  const range: ReadRange = (from, to) => new Blob([sealed.subarray(from, to)]).stream();
  const object = await SealedObject.open(range, sealed.length, { type: "identity", identity }, children);
  for (const [from, to] of [[0, object.size], [65530, 70000], [object.size - 1, object.size]] as const) {
    const read = await new Response(ReadableStream.from(object.read(from, to))).bytes();
    assert.deepEqual(read, plain.subarray(from, to));
  }
});

Deno.test("another passphrase opens nothing", async () => {
  await assert.rejects(decrypt(await encrypt(new Uint8Array(10), "right"), "wrong"));
});

Deno.test("an error of the destination rejects the write", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const failing: Sink = {
    write: () => Promise.reject(new Error("the disk is full")),
    end: () => Promise.resolve(),
  };
  await assert.rejects(async () => {
    const key: EncryptionKey = { type: "password", password: "correct horse" };
    const sink = await encryptTo(failing, await makeFileKey(key, children));
    for (let i = 0; i < 100; i++) await sink.write(new Uint8Array(1024 * 1024));
    await sink.end();
  }, /the disk is full/);
});

Deno.test("two files under one passphrase share neither salt nor bytes", async () => {
  const [first, second] = [
    await encrypt(new Uint8Array(64), "same"),
    await encrypt(new Uint8Array(64), "same"),
  ];
  const stanza = (file: Uint8Array) => new TextDecoder().decode(file).split("\n")[1];
  assert.notEqual(stanza(first), stanza(second));
  assert.notDeepEqual(first.slice(-80), second.slice(-80));
});

testAlone(import.meta.url, "the derivation's memory is not the agent's", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const before = Deno.memoryUsage().rss;
  let highest = 0;
  const deriving = deriveKey(children, "passphrase", new Uint8Array(16), WORK_FACTOR);
  let done = false;
  deriving.finally(() => done = true);
  while (!done) {
    highest = Math.max(highest, Deno.memoryUsage().rss);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal((await deriving).length, 32);
  assert.ok(highest - before < 64 * 1024 * 1024, `grew by ${highest - before} bytes`);
});
