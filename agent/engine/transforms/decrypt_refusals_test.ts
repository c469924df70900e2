/** Tests that a wrong key, damage and truncation are reported and yield no plaintext. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { generateX25519Identity } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import { ageKeygen } from "../../../tests/support/fixtures/age.ts";
import {
  type Bytes,
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
import { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { openHeader } from "./age_header.ts";
import { CHUNK_BYTES, Payload, SEALED_CHUNK_BYTES } from "./age_payload.ts";
import { type DecryptionKey, decryptStream } from "./decrypt.ts";

const { identity, recipient } = await ageKeygen();
const KEY: DecryptionKey = { type: "identity", identity };

/**
 * Reads the file as a stream and by ranges. Asserts that each of the two ways rejects with the same kind of
 * error.
 */
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

Deno.test("a wrong key is refused with the reason why it does not fit", async () => {
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

Deno.test("an invalid identity is refused without showing it", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(10), [recipient]);
  const secret = await generateX25519Identity();
  const mistyped = secret.slice(0, -1) + (secret.endsWith("Q") ? "P" : "Q");
  for (const bad of [mistyped, secret.slice(0, 40), recipient, "ssh-ed25519 AAAA"]) {
    const error = await decrypt(inPieces(sealed), { type: "identity", identity: bad }).catch((e) => e);
    assert.match(error.message, /the identity is no age secret key/);
    assert.ok(!error.message.includes(bad.slice(0, 30)) && error.cause === undefined);
  }
});

Deno.test("a work factor that needs gigabytes is refused before they are allocated", async () => {
  const header = new TextDecoder("latin1").decode(await libraryEncryptWith("right", new Uint8Array(0)));
  const costly = Uint8Array.from(header.replace(" 10\n", " 30\n"), (character) => character.charCodeAt(0));
  await assertRefused(costly, /work factor of 30, more than 20/, { type: "passphrase", passphrase: "right" });
});

Deno.test("every flipped bit in the header is detected", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(100), [recipient]);
  const refusal = /header is damaged|does not begin as an age file|the identity does not fit|cut short/;
  const length = headerLength(sealed);
  for (let at = 0; at < length; at++) await assertRefused(flip(sealed, at, at % 8), refusal);
  for (const at of [length, length + 15]) await assertRefused(flip(sealed, at), /damaged/);
});

Deno.test("every flipped bit in a password's header is detected", async () => {
  const sealed = await libraryEncryptWith("right", new Uint8Array(0));
  const key: DecryptionKey = { type: "passphrase", passphrase: "right" };
  const refusal = /the password is not the one|takes an identity|header is damaged|work factor|cut short/;
  for (let at = 22; at < headerLength(sealed); at += 9) {
    await assert.rejects(decrypt(inPieces(flip(sealed, at, at % 3)), key), refusal);
  }
});

Deno.test("a flipped bit in the first, a middle and the last chunk is reported with its offset", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(3 * CHUNK_BYTES + 500), [recipient]);
  const start = headerLength(sealed) + 16;
  for (const [chunk, length] of [[0, SEALED_CHUNK_BYTES], [2, SEALED_CHUNK_BYTES], [3, 516]] as const) {
    const offset = start + chunk * SEALED_CHUNK_BYTES;
    for (const at of [0, length / 2, length - 17, length - 16, length - 1]) {
      await assertRefused(flip(sealed, offset + at, at % 8), new RegExp(`damaged.* at byte ${offset} `));
    }
  }
});

Deno.test("a damaged chunk yields no plaintext, and the other chunks stay readable", async () => {
  const plain = new Uint8Array(randomBytes(4 * CHUNK_BYTES));
  const sealed = await libraryEncrypt(plain, [recipient]);
  const damaged = flip(sealed, headerLength(sealed) + 16 + 2 * SEALED_CHUNK_BYTES + 5);
  await using children = new Children(systemClock, new AbortController().signal);
  let length = 0;
  await assert.rejects(async () => {
    for await (const piece of decryptStream(inPieces(damaged), KEY, children)) length += piece.length;
  });
  assert.equal(length, 2 * CHUNK_BYTES);
  const object = await open(damaged, KEY);
  assert.deepEqual(await collect(object.read(3 * CHUNK_BYTES, object.size)), plain.subarray(3 * CHUNK_BYTES));
  await assert.rejects(collect(object.read(2 * CHUNK_BYTES + 9, 2 * CHUNK_BYTES + 10)), /damaged/);
});

Deno.test("truncation is never taken for the end", async () => {
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
  await assert.rejects(readAll(followed, KEY), /cut short/);
});

Deno.test("an empty last chunk is valid in an empty file only", async () => {
  const empty = await libraryEncrypt(new Uint8Array(0), [recipient]);
  const start = headerLength(empty) + 16;
  await using children = new Children(systemClock, new AbortController().signal);
  const fileKey = await openHeader(empty.subarray(0, start - 16), KEY, children);
  const payload = new Payload(fileKey, empty.subarray(start - 16, start), start);
  const chunks = [
    ...payload.seal(0, false, new Uint8Array(CHUNK_BYTES)),
    ...payload.seal(1, true, new Uint8Array(0)),
  ];
  const sealed = new Uint8Array(
    await new Blob([empty.subarray(0, start), ...chunks as Bytes[]]).arrayBuffer(),
  );
  await assertRefused(sealed, /damaged or cut short/);
});

Deno.test("an object that is shorter than its stated size is reported as cut short", async () => {
  const sealed = await libraryEncrypt(new Uint8Array(2 * CHUNK_BYTES), [recipient]);
  const short = rangeOf(sealed.subarray(0, -5));
  await assert.rejects(open(sealed, KEY, short), new RegExp(`cut short at byte ${sealed.length - 5}$`));
});
