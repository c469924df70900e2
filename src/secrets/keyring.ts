/**
 * Encrypts stored secrets with AES-256-GCM. Each encrypted value contains the id of its key, so keys can be
 * rotated.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { Buffer } from "node:buffer";

/** Reports that the keyring does not contain a value's key, or that the value is damaged. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/**
 * Contains the secret keys of this process. The first key encrypts new values. A stored value is decrypted
 * with the key whose id it contains. The keys can be replaced at any time.
 */
export class Keyring {
  #keys = new Map<string, Buffer>();
  #current = "";

  /**
   * @param keys The keys, 32 bytes each, the current one first.
   * @param location Where a person finds the keys, in words.
   */
  constructor(
    keys: readonly Uint8Array[],
    readonly location: string = "the environment variable SECRET_KEY",
  ) {
    this.use(keys);
  }

  /** Replaces all keys. The first one becomes the current key. */
  use(keys: readonly Uint8Array[]): void {
    const held = new Map<string, Buffer>();
    for (const key of keys) {
      if (key.length !== 32) throw new SecretError("Cannot use the secret key: it must be 32 bytes");
      held.set(keyId(key), Buffer.from(key));
    }
    const [current] = held.keys();
    if (current === undefined) throw new SecretError("Cannot open the keyring: it holds no key");
    this.#keys = held;
    this.#current = current;
  }

  /** Ids of the keys, the current key's first. Stored values contain these ids. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  /** Encrypts a text. Returns `v1:<key id>:<base64 of nonce, ciphertext, tag>`. */
  encrypt(plain: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#keys.get(this.#current)!, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1:${this.#current}:${sealed.toString("base64")}`;
  }

  /** Decrypts a stored value. Throws a {@link SecretError} that never contains the value. */
  decrypt(stored: string): string {
    const [version, id, sealed] = stored.split(":");
    if (version !== "v1" || id === undefined || sealed === undefined) {
      throw new SecretError("Cannot read a stored secret: it is not in a known format");
    }
    const key = this.#keys.get(id);
    if (key === undefined) {
      throw new SecretError(
        `Cannot read a stored secret: it was sealed with key ${id}, which SECRET_KEY does not hold`,
      );
    }
    try {
      const bytes = Buffer.from(sealed, "base64");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new SecretError("Cannot read a stored secret: it is damaged", { cause });
    }
  }

  encryptOptional(plain: string | null): string | null {
    return plain === null ? null : this.encrypt(plain);
  }

  decryptOptional(stored: string | null): string | null {
    return stored === null ? null : this.decrypt(stored);
  }
}

/** Returns a key's id: eight hexadecimal digits. The id does not reveal the key. */
export function keyId(key: Uint8Array): string {
  return createHash("sha256").update("rearguard key id").update(key).digest("hex").slice(0, 8);
}
