/**
 * age encryption under a passphrase, as https://c2sp.org/age defines it: a header with one scrypt stanza, then the
 * STREAM construction over 64 KiB chunks with ChaCha20-Poly1305. `age -d` opens it.
 */
import { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { Children } from "../children.ts";
import { deriveKey, WORK_FACTOR } from "./scrypt.ts";
import type { Sink } from "./sink.ts";

const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** Bytes handed on at once. */
const BATCH_CHUNKS = 16;

/** Starts an encrypted file in `next`. Writes nothing before the key is derived. */
export async function encryptTo(next: Sink, passphrase: string, children: Children): Promise<Sink> {
  const fileKey = randomBytes(16);
  const header = await passphraseHeader(fileKey, passphrase, children);
  const nonce = randomBytes(16);
  await next.write(new Uint8Array([...header, ...nonce]));
  return new Encryption(next, hkdf(fileKey, nonce, "payload"));
}

async function passphraseHeader(
  fileKey: Uint8Array,
  passphrase: string,
  children: Children,
): Promise<Uint8Array> {
  const salt = randomBytes(16);
  const key = await deriveKey(children, passphrase, utf8("age-encryption.org/v1/scrypt", salt));
  const { body, tag } = seal(key, new Uint8Array(NONCE_BYTES), fileKey);
  const stanza = `-> scrypt ${base64(salt)} ${WORK_FACTOR}\n${base64(new Uint8Array([...body, ...tag]))}\n`;
  const signed = `age-encryption.org/v1\n${stanza}---`;
  const mac = createHmac("sha256", hkdf(fileKey, new Uint8Array(0), "header")).update(signed).digest();
  return utf8(`${signed} ${base64(mac)}\n`);
}

class Encryption implements Sink {
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #plain = new Uint8Array(CHUNK_BYTES);
  #plainLength = 0;
  readonly #batch = new Uint8Array(BATCH_CHUNKS * (CHUNK_BYTES + TAG_BYTES));
  #batchLength = 0;

  constructor(private readonly next: Sink, private readonly key: Uint8Array) {}

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      // A full chunk is held back until more follows: the last one is sealed differently.
      if (this.#plainLength === CHUNK_BYTES) {
        this.#sealChunk();
        if (this.#batchLength === this.#batch.length) await this.#flush();
      }
      const piece = chunk.subarray(at, at + CHUNK_BYTES - this.#plainLength);
      this.#plain.set(piece, this.#plainLength);
      this.#plainLength += piece.length;
      at += piece.length;
    }
  }

  async end(): Promise<void> {
    this.#nonce[NONCE_BYTES - 1] = 1;
    this.#sealChunk();
    await this.#flush();
    await this.next.end();
  }

  #sealChunk(): void {
    const { body, tag } = seal(this.key, this.#nonce, this.#plain.subarray(0, this.#plainLength));
    this.#batch.set(body, this.#batchLength);
    this.#batch.set(tag, this.#batchLength + body.length);
    this.#batchLength += body.length + tag.length;
    this.#plainLength = 0;
    this.#countUp();
  }

  async #flush(): Promise<void> {
    await this.next.write(this.#batch.subarray(0, this.#batchLength));
    this.#batchLength = 0;
  }

  /** The first eleven bytes of the nonce count chunks, big-endian. */
  #countUp(): void {
    for (let at = NONCE_BYTES - 2; at >= 0; at--) {
      this.#nonce[at]!++;
      if (this.#nonce[at] !== 0) return;
    }
  }
}

function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): { body: Uint8Array; tag: Uint8Array } {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_BYTES });
  const body = cipher.update(plain);
  cipher.final();
  return { body, tag: cipher.getAuthTag() };
}

function hkdf(key: Uint8Array, salt: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, label, 32));
}

function utf8(text: string, suffix: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode(text), ...suffix]);
}

/** Standard alphabet, no padding. */
function base64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}
