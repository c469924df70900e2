import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import { ageEncrypt, ageEncryptTo, ageKeygen } from "../../../tests/support/age.ts";
import { Children } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import { openHeader } from "./age_header.ts";
import { CHUNK_BYTES, Payload, SEALED_CHUNK_BYTES } from "./age_payload.ts";
import { type DecryptionKey, decryptStream, type ReadRange, SealedObject } from "./decrypt.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 777];
const { identity, recipient } = await ageKeygen();
const KEY: DecryptionKey = { type: "identity", identity };

async function libraryEncrypt(plain: Bytes, recipients: string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(one);
  return new Uint8Array(await encrypter.encrypt(plain));
}

/** A cost that a test can pay often. */
async function libraryEncryptWith(passphrase: string, plain: Bytes, workFactor = 10): Promise<Bytes> {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(workFactor);
  encrypter.setPassphrase(passphrase);
  return new Uint8Array(await encrypter.encrypt(plain));
}

async function* inPieces(bytes: Uint8Array, step = 50_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
}

/** Like a socket that reads into one buffer all along. */
async function* throughOneBuffer(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(40_000);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const piece = bytes.subarray(at, at + buffer.length);
    buffer.fill(0);
    buffer.set(piece);
    yield await Promise.resolve(buffer.subarray(0, piece.length));
  }
}

const rangeOf = (bytes: Uint8Array): ReadRange => (from, to) => inPieces(bytes.subarray(from, to), 30_000);

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  return new Uint8Array(await new Blob(await Array.fromAsync(pieces) as Bytes[]).arrayBuffer());
}

async function decrypt(sealed: AsyncIterable<Uint8Array>, key: DecryptionKey): Promise<Bytes> {
  await using children = new Children(systemClock, new AbortController().signal);
  return await collect(decryptStream(sealed, key, children));
}

async function open(sealed: Uint8Array, key = KEY, range = rangeOf(sealed)): Promise<SealedObject> {
  await using children = new Children(systemClock, new AbortController().signal);
  return await SealedObject.open(range, sealed.length, key, children);
}

async function readAll(sealed: Uint8Array, key = KEY): Promise<Bytes> {
  const object = await open(sealed, key);
  return await collect(object.read(0, object.size));
}

/** Both ways to read it must refuse, with the same kind of error. */
async function assertRefused(sealed: Uint8Array, message: RegExp, key = KEY): Promise<void> {
  const isRefusal = (error: unknown) =>
    error instanceof RunFailedError && message.test(error.message) && !error.message.includes("\n");
  await assert.rejects(decrypt(inPieces(sealed), key), isRefusal);
  await assert.rejects(readAll(sealed, key), isRefusal);
}

function flip(bytes: Uint8Array, at: number, bit = 0): Bytes {
  const flipped = new Uint8Array(bytes);
  flipped[at] = flipped[at]! ^ (1 << bit);
  return flipped;
}

function headerLength(sealed: Uint8Array): number {
  return /^[^]*?\n--- .*\n/.exec(new TextDecoder("latin1").decode(sealed))![0].length;
}

Deno.test("what the age program and the library encrypt is read back, at and around the chunk size", async () => {
  for (const size of SIZES) {
    const plain = new Uint8Array(randomBytes(size));
    for (const encrypt of [ageEncryptTo, libraryEncrypt]) {
      const sealed = await encrypt(plain, [recipient]);
      assert.deepEqual(await decrypt(inPieces(sealed, 9999), KEY), plain);
      assert.deepEqual(await decrypt(throughOneBuffer(sealed), KEY), plain);
      assert.deepEqual(await readAll(sealed), plain);
    }
  }
});

Deno.test("a password opens what the age program and the library made with it", async () => {
  const plain = new Uint8Array(randomBytes(100_000));
  const passphrase = `pass "word" $HOME é`;
  const key: DecryptionKey = { type: "passphrase", passphrase };
  for (const sealed of [await ageEncrypt(plain, passphrase), await libraryEncryptWith(passphrase, plain)]) {
    assert.deepEqual(await decrypt(inPieces(sealed), key), plain);
    assert.deepEqual(await readAll(sealed, key), plain);
  }
});

Deno.test("any one of several identities opens it, among other recipients, post-quantum ones too", async () => {
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

Deno.test("a key that does not fit is refused by what is wrong with it", async () => {
  const plain = new Uint8Array(10);
  const [byPassword, byRecipient] = [
    await libraryEncryptWith("right", plain),
    await libraryEncrypt(plain, [recipient]),
  ];
  const password: DecryptionKey = { type: "passphrase", passphrase: "wrong" };
  const stranger: DecryptionKey = { type: "identity", identity: await generateX25519Identity() };
  await assertRefused(byPassword, /the password is not the one it was made with/, password);
  await assertRefused(byPassword, /encrypted with a password, which an identity does not open/);
  await assertRefused(byRecipient, /the identity does not fit/, stranger);
  await assertRefused(byRecipient, /takes an identity and not a password/, password);
  await assertRefused(byRecipient, /the identity is empty/, { type: "identity", identity: "# nothing\n" });
});

Deno.test("an identity that is none is refused without showing it", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(10), [recipient]);
  const secret = await generateX25519Identity();
  const mistyped = secret.slice(0, -1) + (secret.endsWith("Q") ? "P" : "Q");
  for (const bad of [mistyped, secret.slice(0, 40), recipient, "ssh-ed25519 AAAA"]) {
    const error = await decrypt(inPieces(sealed), { type: "identity", identity: bad }).catch((e) => e);
    assert.match(error.message, /the identity is no age secret key/);
    assert.ok(!error.message.includes(bad.slice(0, 30)) && error.cause === undefined);
  }
});

Deno.test("a work factor that takes gigabytes is refused before any is taken", async () => {
  const header = new TextDecoder("latin1").decode(await libraryEncryptWith("right", new Uint8Array(0)));
  const costly = Uint8Array.from(header.replace(" 10\n", " 30\n"), (character) => character.charCodeAt(0));
  await assertRefused(costly, /work factor of 30, more than 20/, { type: "passphrase", passphrase: "right" });
});

Deno.test("a flipped bit in the header is never passed over", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(100), [recipient]);
  const refusal = /header is damaged|does not begin as an age file|the identity does not fit|cut short/;
  const length = headerLength(sealed);
  for (let at = 0; at < length; at++) await assertRefused(flip(sealed, at, at % 8), refusal);
  for (const at of [length, length + 15]) await assertRefused(flip(sealed, at), /damaged/);
});

Deno.test("a flipped bit in a password's header is never passed over", async () => {
  const sealed = await libraryEncryptWith("right", new Uint8Array(0));
  const key: DecryptionKey = { type: "passphrase", passphrase: "right" };
  const refusal = /the password is not the one|takes an identity|header is damaged|work factor|cut short/;
  for (let at = 22; at < headerLength(sealed); at += 9) {
    await assert.rejects(decrypt(inPieces(flip(sealed, at, at % 3)), key), refusal);
  }
});

Deno.test("a flipped bit in the first, a middle and the last chunk names the place", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(3 * CHUNK_BYTES + 500), [recipient]);
  const start = headerLength(sealed) + 16;
  for (const [chunk, length] of [[0, SEALED_CHUNK_BYTES], [2, SEALED_CHUNK_BYTES], [3, 516]] as const) {
    const offset = start + chunk * SEALED_CHUNK_BYTES;
    for (const at of [0, length / 2, length - 17, length - 16, length - 1]) {
      await assertRefused(flip(sealed, offset + at, at % 8), new RegExp(`damaged.* at byte ${offset} `));
    }
  }
});

Deno.test("damage hands on nothing of its chunk, and spares the others", async () => {
  const plain = new Uint8Array(randomBytes(4 * CHUNK_BYTES));
  const sealed = await libraryEncrypt(plain, [recipient]);
  const damaged = flip(sealed, headerLength(sealed) + 16 + 2 * SEALED_CHUNK_BYTES + 5);
  await using children = new Children(systemClock, new AbortController().signal);
  let length = 0;
  await assert.rejects(async () => {
    for await (const piece of decryptStream(inPieces(damaged), KEY, children)) length += piece.length;
  });
  assert.equal(length, 2 * CHUNK_BYTES);
  const object = await open(damaged);
  assert.deepEqual(await collect(object.read(3 * CHUNK_BYTES, object.size)), plain.subarray(3 * CHUNK_BYTES));
  await assert.rejects(collect(object.read(2 * CHUNK_BYTES + 9, 2 * CHUNK_BYTES + 10)), /damaged/);
});

Deno.test("an end that comes too early is never taken for the end", async () => {
  for (const size of [2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 100]) {
    const sealed = await libraryEncrypt(new Uint8Array(size), [recipient]);
    const header = headerLength(sealed);
    const start = header + 16;
    for (const end of [0, 10, 22, 60, header - 1, header, header + 9, start, start + 9]) {
      await assertRefused(sealed.subarray(0, end), new RegExp(`cut short at byte ${end}$`));
    }
    const border = start + SEALED_CHUNK_BYTES;
    await assertRefused(sealed.subarray(0, border), new RegExp(`cut short at byte ${border}$`));
    for (const end of [start + 16, border - 1, border + 9, border + 16, border + 17, sealed.length - 1]) {
      await assertRefused(sealed.subarray(0, end), /cut short/);
    }
  }
});

Deno.test("chunks that are added, swapped or moved are refused", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(3 * CHUNK_BYTES), [recipient]);
  const start = headerLength(sealed) + 16;
  const parts = [0, 1, 2].map((index) =>
    sealed.subarray(start + index * SEALED_CHUNK_BYTES, start + (index + 1) * SEALED_CHUNK_BYTES)
  );
  const put = async (...chunks: Bytes[]) =>
    new Uint8Array(await new Blob([sealed.subarray(0, start), ...chunks]).arrayBuffer());
  const [first, second, last] = parts as [Bytes, Bytes, Bytes];
  await assertRefused(await put(second, first, last), /damaged/);
  await assertRefused(await put(first, last), /damaged/);
  await assertRefused(await put(first, second, last, last), /damaged/);
  const followed = await put(first, second, last, new Uint8Array(1));
  await assert.rejects(decrypt(inPieces(followed), KEY), /other bytes follow its end/);
  await assert.rejects(readAll(followed), /cut short/);
});

Deno.test("an object that is shorter than it was said to be is cut short", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(2 * CHUNK_BYTES), [recipient]);
  const short = rangeOf(sealed.subarray(0, -5));
  await assert.rejects(open(sealed, KEY, short), new RegExp(`cut short at byte ${sealed.length - 5}$`));
});

Deno.test("any range is the plaintext's, and reads only the chunks it touches", async () => {
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

Deno.test("an error of the source passes as it is, and the source is closed when reading stops", async () => {
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

Deno.test("a run that ends while the key is derived ends with its own reason", async () => {
  const sealed = await libraryEncryptWith("right", new Uint8Array(10));
  const run = new AbortController();
  await using children = new Children(systemClock, run.signal);
  run.abort(new Error("cancelled by hand"));
  const key: DecryptionKey = { type: "passphrase", passphrase: "right" };
  await assert.rejects(collect(decryptStream(inPieces(sealed), key, children)), /cancelled by hand/);
});

Deno.test("memory stays flat however long the stream is", async () => {
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
});
