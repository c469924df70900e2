/** age encryption under a passphrase, in the format of https://c2sp.org/age: `age -d` opens it. */
import { createCipheriv, randomBytes } from "node:crypto";
import type { Recipient, Stanza } from "age-encryption";
import type { Children } from "../children.ts";
import { deriveKey, passphraseSalt, WORK_FACTOR } from "./scrypt.ts";
import type { Sink } from "./sink.ts";

/** Starts an encrypted file in `next`. Writes nothing before the key is derived. */
export async function encryptTo(next: Sink, passphrase: string, children: Children): Promise<Sink> {
  // Loaded by those that need it: it is some megabytes.
  const { Encrypter, Stanza } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.addRecipient(passphraseRecipient(passphrase, children, Stanza));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  return new Encryption(writable.getWriter(), await encrypter.encrypt(readable), next);
}

/**
 * The library's own passphrase recipient, but for where its scrypt runs: see {@link deriveKey}. One stanza: the salt
 * and the cost, and the file key sealed by ChaCha20-Poly1305 with a nonce of zeros, since each key seals once.
 */
function passphraseRecipient(passphrase: string, children: Children, NewStanza: typeof Stanza): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await deriveKey(children, passphrase, passphraseSalt(salt));
      const cipher = createCipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
      const sealed = [...cipher.update(fileKey), ...cipher.final(), ...cipher.getAuthTag()];
      const salted = salt.toString("base64").replace(/=+$/, "");
      return [new NewStanza(["scrypt", salted, String(WORK_FACTOR)], new Uint8Array(sealed))];
    },
  };
}

class Encryption implements Sink {
  readonly #plain: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pumped: Promise<void>;

  constructor(
    plain: WritableStreamDefaultWriter<Uint8Array>,
    sealed: ReadableStream<Uint8Array>,
    next: Sink,
  ) {
    this.#plain = plain;
    // A failing destination cancels the stream, which fails the writes before it.
    this.#pumped = sealed.pipeTo(new WritableStream({ write: (chunk) => next.write(chunk) }));
    this.#pumped.catch(() => {});
    plain.closed.catch(() => {});
  }

  async write(chunk: Uint8Array): Promise<void> {
    // The stream may hold the bytes for longer than the caller leaves them as they are.
    await this.#plain.ready;
    await this.#plain.write(chunk.slice());
  }

  /** Ends the encrypted file; `next` is its owner's to end. */
  async end(): Promise<void> {
    await this.#plain.close();
    await this.#pumped;
  }
}
