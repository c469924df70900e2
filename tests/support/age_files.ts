/** age files that the library makes, and both ways to read one back. */
import { Encrypter } from "age-encryption";
import { Children } from "../../agent/engine/children.ts";
import {
  type DecryptionKey,
  decryptStream,
  type ReadRange,
  SealedObject,
} from "../../agent/engine/transforms/decrypt.ts";
import { systemClock } from "../../src/domain/clock.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export async function libraryEncrypt(plain: Bytes, recipients: string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(one);
  return new Uint8Array(await encrypter.encrypt(plain));
}

/** A cost that a test can pay often. */
export async function libraryEncryptWith(passphrase: string, plain: Bytes, workFactor = 10): Promise<Bytes> {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(workFactor);
  encrypter.setPassphrase(passphrase);
  return new Uint8Array(await encrypter.encrypt(plain));
}

export async function* inPieces(bytes: Uint8Array, step = 50_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
}

export const rangeOf = (bytes: Uint8Array): ReadRange => (from, to) =>
  inPieces(bytes.subarray(from, to), 30_000);

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  return new Uint8Array(await new Blob(await Array.fromAsync(pieces) as Bytes[]).arrayBuffer());
}

export async function decrypt(sealed: AsyncIterable<Uint8Array>, key: DecryptionKey): Promise<Bytes> {
  await using children = new Children(systemClock, new AbortController().signal);
  return await collect(decryptStream(sealed, key, children));
}

export async function open(
  sealed: Uint8Array,
  key: DecryptionKey,
  range = rangeOf(sealed),
): Promise<SealedObject> {
  await using children = new Children(systemClock, new AbortController().signal);
  return await SealedObject.open(range, sealed.length, key, children);
}

export async function readAll(sealed: Uint8Array, key: DecryptionKey): Promise<Bytes> {
  const object = await open(sealed, key);
  return await collect(object.read(0, object.size));
}

export function headerLength(sealed: Uint8Array): number {
  return /^[^]*?\n--- .*\n/.exec(new TextDecoder("latin1").decode(sealed))![0].length;
}
