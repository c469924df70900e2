/**
 * The payload of an age file: chunks of 64 KiB, each encrypted separately with ChaCha20-Poly1305. The nonce
 * of a chunk contains the chunk's number, and whether it is the last chunk. See "Payload" in
 * https://c2sp.org/age.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { collectYoung } from "../garbage.ts";
import { DamagedBytesError } from "../ports.ts";

/**
 * Number of plaintext bytes in a chunk. The last chunk can be shorter. It is empty only if the file is empty.
 */
export const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** Length in bytes of the nonce between the header and the first chunk. */
export const NONCE_BYTES = 16;

/** Number of encrypted or decrypted bytes between two garbage collections. */
const COLLECT_BYTES = 8 * 1024 * 1024;

const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG_BYTES };

/** Returns the plaintext size of a payload with `sealed` bytes. `sealed` does not include the nonce. */
export function plaintextSize(sealed: number): number {
  return sealed - Math.ceil(sealed / SEALED_CHUNK_BYTES) * TAG_BYTES;
}

/** Encrypts and decrypts chunks, in any order. */
export class Payload {
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(12);
  /** Number of bytes that were encrypted or decrypted since the last garbage collection. */
  #uncollected = 0;
  readonly #counter = new DataView(this.#nonce.buffer);

  /** @param start Position of the first chunk in the file, for error messages. */
  constructor(fileKey: Uint8Array, nonce: Uint8Array, readonly start: number) {
    this.#key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
  }

  /** Encrypts a chunk. Returns its body and its tag, to be stored in this order. */
  seal(index: number, isLast: boolean, plain: Uint8Array): [body: Uint8Array, tag: Uint8Array] {
    this.#collect(plain.length);
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonceOf(index, isLast), OPTIONS);
    const body = cipher.update(plain);
    cipher.final();
    return [body, cipher.getAuthTag()];
  }

  /**
   * Decrypts a chunk and returns the plaintext. Throws a `DamagedBytesError` that says whether the chunk is
   * damaged, cut short or misplaced.
   */
  open(index: number, isLast: boolean, sealed: Uint8Array): Uint8Array {
    const offset = this.start + index * SEALED_CHUNK_BYTES;
    if (sealed.length < TAG_BYTES) throw truncationError(offset + sealed.length);
    this.#collect(sealed.length);
    const plain = this.#tryOpen(index, isLast, sealed);
    if (plain !== null && (plain.length > 0 || index === 0)) return plain;
    if (plain === null && isLast && this.#tryOpen(index, false, sealed) !== null) {
      throw truncationError(offset + sealed.length);
    }
    if (plain === null && !isLast && this.#tryOpen(index, true, sealed) !== null) {
      throw new DamagedBytesError(
        `Cannot decrypt: it is damaged, other bytes follow its end at byte ${offset + sealed.length}`,
      );
    }
    const how = sealed.length < SEALED_CHUNK_BYTES ? "damaged or cut short" : "damaged";
    throw new DamagedBytesError(
      `Cannot decrypt: it is ${how} at byte ${offset} or in the ${sealed.length} bytes from there`,
    );
  }

  /**
   * Collects garbage if the agent was started with `--expose-gc`. Each chunk takes new memory. Without
   * explicit collections, V8 would let up to 100 MB of it pile up.
   */
  #collect(length: number): void {
    this.#uncollected += length;
    if (this.#uncollected < COLLECT_BYTES) return;
    this.#uncollected = 0;
    collectYoung();
  }

  #tryOpen(index: number, isLast: boolean, sealed: Uint8Array): Uint8Array | null {
    const decipher = createDecipheriv(CIPHER, this.#key, this.#nonceOf(index, isLast), OPTIONS);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
    try {
      decipher.final();
      return plain;
    } catch {
      return null;
    }
  }

  #nonceOf(index: number, isLast: boolean): Uint8Array {
    this.#counter.setBigUint64(3, BigInt(index));
    this.#nonce[11] = isLast ? 1 : 0;
    return this.#nonce;
  }
}

export function truncationError(at: number): DamagedBytesError {
  return new DamagedBytesError(`Cannot decrypt: it is cut short at byte ${at}`);
}
