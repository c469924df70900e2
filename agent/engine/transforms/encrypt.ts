/** Encrypts in the age format (https://c2sp.org/age). `age --decrypt` can decrypt the files. */
import { createCipheriv, randomBytes } from "node:crypto";
import type { Recipient, Stanza } from "age-encryption";
import type { JobEncryption } from "../../../src/protocol/job.ts";
import type { Children } from "../programs/children.ts";
import { CHUNK_BYTES, NONCE_BYTES, Payload, SEALED_CHUNK_BYTES } from "./age_payload.ts";
import type { DerivedKey } from "./derived_keys.ts";
import { deriveKey, passphraseSalt, WORK_FACTOR } from "./scrypt.ts";
import type { Sink } from "./sink.ts";

/** The password or the recipients that can decrypt the file. */
export type EncryptionKey = Exclude<JobEncryption, { type: "none" }>;

/** Number of encrypted chunks in one write to the next sink. */
const CHUNKS_AT_ONCE = 16;

/** The key of one file, and the file's header. The header contains the encrypted key. */
export interface FileKey {
  header: Uint8Array;
  fileKey: Uint8Array;
  /**
   * The file key is encrypted with another key. Says how that key was derived from the password; null if the
   * file is encrypted to recipients.
   */
  derived: DerivedKey | null;
}

/**
 * Writes the header of an encrypted file to `next`. Returns a sink that encrypts its bytes and writes them to
 * `next`.
 */
export async function encryptTo(next: Sink, { header, fileKey }: FileKey): Promise<Sink> {
  const nonce = randomBytes(NONCE_BYTES);
  await next.write(header);
  await next.write(nonce);
  return new Encryption(new Payload(fileKey, nonce, header.length + NONCE_BYTES), next);
}

/**
 * Creates and returns a file key and its header, with the library `age-encryption`. The library is not used
 * for the payload: this project's own code encrypts it five times as fast.
 */
export async function makeFileKey(key: EncryptionKey, children: Children): Promise<FileKey> {
  // Load the library on demand, because it takes some megabytes of memory.
  const { Encrypter, Stanza } = await import("age-encryption");
  const encrypter = new Encrypter();
  let derived: DerivedKey | null = null;
  const onDerived = (made: DerivedKey) => void (derived = made);
  if (key.type === "password") {
    encrypter.addRecipient(passphraseRecipient(key.password, children, Stanza, onDerived));
  } else for (const recipient of key.recipients) encrypter.addRecipient(recipient);
  let fileKey = new Uint8Array(0);
  const captureFileKey = (theirs: Uint8Array) => {
    fileKey = theirs.slice();
    return [];
  };
  encrypter.addRecipient({ wrapFileKey: captureFileKey });
  const emptyFile = await encrypter.encrypt(new Uint8Array(0));
  return {
    header: emptyFile.subarray(0, -(NONCE_BYTES + SEALED_CHUNK_BYTES - CHUNK_BYTES)),
    fileKey,
    derived,
  };
}

/**
 * Returns a recipient that replaces the library's own passphrase recipient. The library would run scrypt in
 * this process, but it must run in another one: see {@link deriveKey}. The header's only stanza contains the
 * salt, the cost, and the file key encrypted with ChaCha20-Poly1305. The nonce is zero, because each derived
 * key encrypts only once.
 */
function passphraseRecipient(
  passphrase: string,
  children: Children,
  NewStanza: typeof Stanza,
  onDerived: (derived: DerivedKey) => void,
): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await deriveKey(children, passphrase, passphraseSalt(salt), WORK_FACTOR);
      onDerived({ passphrase, salt: passphraseSalt(salt), workFactor: WORK_FACTOR, key });
      const cipher = createCipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
      const sealed = [...cipher.update(fileKey), ...cipher.final(), ...cipher.getAuthTag()];
      const salted = salt.toString("base64").replace(/=+$/, "");
      return [new NewStanza(["scrypt", salted, String(WORK_FACTOR)], new Uint8Array(sealed))];
    },
  };
}

class Encryption implements Sink {
  readonly #plain = new Uint8Array(CHUNK_BYTES);
  #plainLength = 0;
  readonly #sealed = new Uint8Array(CHUNKS_AT_ONCE * SEALED_CHUNK_BYTES);
  #sealedLength = 0;
  #index = 0;

  constructor(private readonly payload: Payload, private readonly next: Sink) {}

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      // Encrypt a full chunk only when more bytes follow, because the last chunk is encrypted with another
      // nonce.
      if (this.#plainLength === CHUNK_BYTES) this.#seal(false);
      if (this.#sealedLength === this.#sealed.length) await this.#flush();
      const piece = chunk.subarray(at, at + CHUNK_BYTES - this.#plainLength);
      this.#plain.set(piece, this.#plainLength);
      this.#plainLength += piece.length;
      at += piece.length;
    }
  }

  /** Writes the last chunk. The caller must end `next`. */
  async end(): Promise<void> {
    this.#seal(true);
    await this.#flush();
  }

  #seal(isLast: boolean): void {
    const sealed = this.payload.seal(this.#index++, isLast, this.#plain.subarray(0, this.#plainLength));
    for (const bytes of sealed) {
      this.#sealed.set(bytes, this.#sealedLength);
      this.#sealedLength += bytes.length;
    }
    this.#plainLength = 0;
  }

  async #flush(): Promise<void> {
    await this.next.write(this.#sealed.subarray(0, this.#sealedLength));
    this.#sealedLength = 0;
  }
}
