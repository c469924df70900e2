/** Reads the header of an age file. The header contains the file key, encrypted for each recipient. */
import { createDecipheriv } from "node:crypto";
import type { Identity, Stanza } from "age-encryption";
import type { Children } from "../programs/children.ts";
import { DamagedBytesError, RunFailedError, WrongKeyError } from "../ports.ts";
import { truncationError } from "./age_payload.ts";
import type { Derivation } from "./derived_keys.ts";
import { deriveKey, MAX_WORK_FACTOR, passphraseSalt } from "./scrypt.ts";
import type { SealedInput } from "./sealed_input.ts";

/** The secret that decrypts an object. */
export type DecryptionKey =
  | { type: "passphrase"; passphrase: string }
  /** One or more secret keys as `age-keygen` writes them, one per line. Comments are skipped. */
  | { type: "identity"; identity: string };

/**
 * Maximum length of a header in bytes, enough for hundreds of recipients. A longer header counts as damaged.
 */
export const MAX_HEADER_BYTES = 256 * 1024;
const VERSION_LINE = "age-encryption.org/v1\n";
const HEADER_LINE = /^(-> .+|--- .+|[A-Za-z0-9+/]*)\n$/;

/** Returns the bytes of the header, up to and including the line with its MAC. */
export async function readHeader(input: SealedInput): Promise<Uint8Array> {
  const lines = [await input.line(VERSION_LINE.length)];
  if (text(lines[0]!) !== VERSION_LINE) {
    throw VERSION_LINE.startsWith(text(lines[0]!))
      ? truncationError(input.offset)
      : new DamagedBytesError("Cannot decrypt: it does not begin as an age file does");
  }
  while (!text(lines.at(-1)!).startsWith("--- ")) {
    const line = await input.line(MAX_HEADER_BYTES - input.offset);
    lines.push(line);
    if (HEADER_LINE.test(text(line))) continue;
    if (line.at(-1) === 10) throw damagedHeaderError();
    throw input.offset >= MAX_HEADER_BYTES ? damagedHeaderError() : truncationError(input.offset);
  }
  return Uint8Array.from(lines.flatMap((line) => [...line]));
}

/**
 * Returns the file key from a header. Verifies the header's MAC first.
 *
 * @param derive Derives the key of a passphrase.
 */
export async function openHeader(
  header: Uint8Array,
  key: DecryptionKey,
  children: Children,
  derive: Derivation = deriveKey,
): Promise<Uint8Array> {
  // Load the library on demand, because it takes some megabytes of memory.
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  const passphrase = key.type === "passphrase"
    ? new PassphraseIdentity(key.passphrase, children, derive)
    : null;
  if (passphrase !== null) decrypter.addIdentity(passphrase);
  if (key.type === "identity") {
    for (const line of secretKeys(key.identity)) {
      addSecretKey(line, (secret) => decrypter.addIdentity(secret));
    }
  }
  // The library tries this identity last: only if no secret key and no passphrase opened the header.
  decrypter.addIdentity({ unwrapFileKey: (stanzas) => Promise.reject(wrongKeyError(key, stanzas)) });
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (passphrase?.failure) throw passphrase.failure.error;
    throw error instanceof RunFailedError ? error : damagedHeaderError();
  }
}

/** Replaces the library's passphrase identity, to run scrypt in another process: see {@link deriveKey}. */
class PassphraseIdentity implements Identity {
  /**
   * The error that prevented deriving a key; null if there was none. This error is not a sign of a damaged
   * header.
   */
  failure: { error: unknown } | null = null;

  constructor(
    private readonly passphrase: string,
    private readonly children: Children,
    private readonly derive: Derivation,
  ) {}

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    if (!stanzas.some(({ args }) => args[0] === "scrypt")) return null;
    const [{ args, body }] = stanzas as [Stanza];
    const [, salt = "", factor = ""] = args;
    const isWellFormed = stanzas.length === 1 && args.length === 3 && body.length === 32 &&
      /^[A-Za-z0-9+/]{22}$/.test(salt) && /^[1-9][0-9]*$/.test(factor);
    if (!isWellFormed) throw damagedHeaderError();
    if (Number(factor) > MAX_WORK_FACTOR) {
      throw new RunFailedError(
        `Cannot decrypt: its header asks for a work factor of ${factor}, more than ${MAX_WORK_FACTOR}, ` +
          "which takes gigabytes of memory",
      );
    }
    return openFileKey(body, await this.#derive(Uint8Array.fromBase64(salt), Number(factor)));
  }

  async #derive(salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
    try {
      return await this.derive(this.children, this.passphrase, passphraseSalt(salt), workFactor);
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

function openFileKey(body: Uint8Array, key: Uint8Array): Uint8Array | null {
  const decipher = createDecipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
  decipher.setAuthTag(body.subarray(16));
  const fileKey = decipher.update(body.subarray(0, 16));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return null;
  }
}

function secretKeys(identity: string): string[] {
  const lines = identity.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  if (lines.length === 0) throw new RunFailedError("Cannot decrypt: the identity is empty");
  return lines;
}

function addSecretKey(line: string, add: (line: string) => void): void {
  try {
    add(line);
  } catch {
    // Do not use the library's error message: it contains the secret key.
    throw new RunFailedError(
      "Cannot decrypt: the identity is no age secret key, give the AGE-SECRET-KEY-1… that age-keygen wrote",
    );
  }
}

function wrongKeyError(key: DecryptionKey, stanzas: Stanza[]): WrongKeyError {
  const wantsPassphrase = stanzas.some(({ args }) => args[0] === "scrypt");
  if (key.type === "passphrase") {
    return new WrongKeyError(
      wantsPassphrase
        ? "Cannot decrypt: the password is not the one it was made with, or its header is damaged"
        : "Cannot decrypt: it is encrypted to recipients, which takes an identity and not a password",
    );
  }
  return new WrongKeyError(
    wantsPassphrase
      ? "Cannot decrypt: it is encrypted with a password, which an identity does not open"
      : "Cannot decrypt: the identity does not fit, it is encrypted to other recipients, or its header is damaged",
  );
}

function damagedHeaderError(): RunFailedError {
  return new DamagedBytesError("Cannot decrypt: its header is damaged");
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
