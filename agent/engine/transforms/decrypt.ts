/** Decrypts age files, as a stream or in ranges. Yields only bytes that the encryption has authenticated. */
import type { Children } from "../programs/children.ts";
import { type DecryptionKey, MAX_HEADER_BYTES, openHeader, readHeader } from "./age_header.ts";
import {
  CHUNK_BYTES,
  NONCE_BYTES,
  Payload,
  plaintextSize,
  SEALED_CHUNK_BYTES,
  truncationError,
} from "./age_payload.ts";
import type { Derivation } from "./derived_keys.ts";
import { SealedInput } from "./sealed_input.ts";

export type { DecryptionKey };

/** Reads the encrypted bytes of the object from `from` up to, but not including, `to`. */
export type ReadRange = (from: number, to: number) => AsyncIterable<Uint8Array>;

/** Size of the first read in bytes. Most headers are shorter. */
const FIRST_READ_BYTES = 4096;

/**
 * Yields the plaintext of a file, in chunks of up to 64 KiB. If the key is wrong, or if the file is damaged
 * or truncated, rejects with a `RunFailedError` whose message is one line. If `sealed` throws an error,
 * rejects with that error, unchanged.
 *
 * @param derive Derives the key from a passphrase. By default, the key is derived again for each file.
 */
export async function* decryptStream(
  sealed: AsyncIterable<Uint8Array>,
  key: DecryptionKey,
  children: Children,
  derive?: Derivation,
): AsyncIterable<Uint8Array> {
  const input = new SealedInput(sealed);
  try {
    const payload = await openPayload(input, key, children, derive);
    const chunk = new Uint8Array(SEALED_CHUNK_BYTES);
    for (let index = 0, isLast = false; !isLast; index++) {
      const length = await input.fill(chunk);
      isLast = await input.ended();
      yield payload.open(index, isLast, chunk.subarray(0, length));
    }
  } finally {
    await input.close();
  }
}

/** Gives random access to an encrypted object. Reads the 64 KiB chunks that overlap the requested range. */
export class SealedObject {
  /** Plaintext size in bytes. */
  readonly size: number;

  private constructor(
    private readonly range: ReadRange,
    private readonly sealedSize: number,
    private readonly payload: Payload,
  ) {
    this.size = plaintextSize(sealedSize - payload.start);
  }

  /**
   * Opens and returns an encrypted object. Reads the object's header. Also reads the last chunk, because this
   * chunk authenticates the size.
   * @param sealedSize Size of the stored object in bytes.
   */
  static async open(
    range: ReadRange,
    sealedSize: number,
    key: DecryptionKey,
    children: Children,
  ): Promise<SealedObject> {
    const input = new SealedInput(firstBytes(range, sealedSize));
    const payload = await openPayload(input, key, children).finally(() => input.close());
    if (sealedSize <= payload.start) throw truncationError(sealedSize);
    const object = new SealedObject(range, sealedSize, payload);
    const last = object.#chunks - 1;
    for await (const _ of object.#open(last, last + 1));
    return object;
  }

  /**
   * Yields the plaintext from `from` up to, but not including, `to`. Rejects with the same errors as
   * {@link decryptStream}.
   */
  async *read(from: number, to: number): AsyncIterable<Uint8Array> {
    if (!(0 <= from && from <= to && to <= this.size)) {
      throw new RangeError(`Cannot read bytes ${from} to ${to}: there are ${this.size}`);
    }
    if (from === to) return;
    let start = from - from % CHUNK_BYTES;
    for await (const plain of this.#open(start / CHUNK_BYTES, Math.ceil(to / CHUNK_BYTES))) {
      yield plain.subarray(Math.max(0, from - start), to - start);
      start += plain.length;
    }
  }

  get #chunks(): number {
    return Math.ceil((this.sealedSize - this.payload.start) / SEALED_CHUNK_BYTES);
  }

  /** Yields the plaintext of the chunks from number `first` up to, but not including, number `end`. */
  async *#open(first: number, end: number): AsyncIterable<Uint8Array> {
    const { start } = this.payload;
    const offset = (index: number) => Math.min(start + index * SEALED_CHUNK_BYTES, this.sealedSize);
    const input = new SealedInput(this.range(offset(first), offset(end)));
    const chunk = new Uint8Array(SEALED_CHUNK_BYTES);
    try {
      for (let index = first; index < end; index++) {
        const length = await input.fill(chunk.subarray(0, offset(index + 1) - offset(index)));
        if (length < offset(index + 1) - offset(index)) throw truncationError(offset(index) + length);
        yield this.payload.open(index, index === this.#chunks - 1, chunk.subarray(0, length));
      }
    } finally {
      await input.close();
    }
  }
}

async function openPayload(
  input: SealedInput,
  key: DecryptionKey,
  children: Children,
  derive?: Derivation,
): Promise<Payload> {
  const header = await readHeader(input);
  const fileKey = await openHeader(header, key, children, derive);
  const nonce = new Uint8Array(NONCE_BYTES);
  if (await input.fill(nonce) < NONCE_BYTES) throw truncationError(input.offset);
  return new Payload(fileKey, nonce, input.offset);
}

async function* firstBytes(range: ReadRange, size: number): AsyncIterable<Uint8Array> {
  const first = Math.min(size, FIRST_READ_BYTES);
  yield* range(0, first);
  if (first < size) yield* range(first, Math.min(size, MAX_HEADER_BYTES + NONCE_BYTES));
}
