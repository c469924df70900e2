/**
 * Converts private keys for SSH to a form that the agent's SSH library reads. Accepts PKCS#8, PEM and
 * OpenSSH, with or without a passphrase. The result has no passphrase. The database stores it encrypted, like
 * every secret.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { openSshPrivateKey } from "./ssh_key.ts";

/**
 * Reports that a key cannot be used. The message is the end of a sentence about the key, such as "is an ECDSA
 * key of 521 bits". It contains no part of the key.
 */
export class PrivateKeyError extends Error {
  constructor(message: string, readonly isPassphrase = false, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Removes the passphrase of a key, and returns the text of a key file. If the agent's SSH library can read
 * the given text as it is, returns the text unchanged. Throws a {@link PrivateKeyError} if the key cannot be
 * used.
 *
 * @param passphrase The key's passphrase; null if it has none.
 */
export async function usablePrivateKey(text: string, passphrase: string | null): Promise<string> {
  const label = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----/.exec(text)?.[1]?.trim();
  switch (label) {
    case "OPENSSH":
      return await usableOpenSsh(text, passphrase);
    case "":
    case "ENCRYPTED":
    case "EC":
      return serialize(unlockPem(text, label === "ENCRYPTED" || isLockedPem(text), passphrase));
    default:
      return isLockedPem(text) ? serialize(unlockPem(text, true, passphrase)) : text;
  }
}

function needsPassphrase(): PrivateKeyError {
  return new PrivateKeyError("is protected by a passphrase. Send that as sftp_private_key_passphrase.");
}

function wrongPassphrase(cause: unknown): PrivateKeyError {
  return new PrivateKeyError("does not open the private key.", true, { cause });
}

function isLockedPem(text: string): boolean {
  return /^Proc-Type: *4, *ENCRYPTED/m.test(text);
}

/**
 * Returns whether an OpenSSH key is encrypted. The first field of a key file names the cipher (OpenSSH's
 * PROTOCOL.key).
 */
function isLockedOpenSsh(text: string): boolean {
  const base64 = text.replace(/-----[^-]*-----/g, "").replace(/\s+/g, "");
  let head: string;
  try {
    head = atob(base64.slice(0, 64));
  } catch {
    // The text is not base64, so it is not an encrypted key. An attempt to connect with it will show what is
    // wrong.
    return false;
  }
  return head.startsWith("openssh-key-v1\0") && !head.startsWith("openssh-key-v1\0\0\0\0\x04none");
}

function unlockPem(text: string, isLocked: boolean, passphrase: string | null): KeyObject {
  if (isLocked && passphrase === null) throw needsPassphrase();
  try {
    return createPrivateKey(isLocked ? { key: text, passphrase: passphrase! } : text);
  } catch (cause) {
    if (isLocked && /bad decrypt|decrypt/i.test((cause as Error).message)) throw wrongPassphrase(cause);
    throw new PrivateKeyError("can't be read as a key. Send the whole file, or make a new key.", false, {
      cause,
    });
  }
}

async function usableOpenSsh(text: string, passphrase: string | null): Promise<string> {
  const isLocked = isLockedOpenSsh(text);
  if (isLocked && passphrase === null) throw needsPassphrase();
  // Set `__dirname`, because ssh2's WebAssembly loader reads it when ssh2 is imported.
  (globalThis as { __dirname?: string }).__dirname ??= import.meta.dirname ?? "/";
  const { default: ssh2 } = await import("ssh2") as unknown as { default: typeof import("ssh2") };
  const key = isLocked ? ssh2.utils.parseKey(text, passphrase!) : ssh2.utils.parseKey(text);
  if (key instanceof Error) {
    // This key is not encrypted. An attempt to connect with it will show what is wrong.
    if (!isLocked) return text;
    if (/passphrase/i.test(key.message)) throw wrongPassphrase(key);
    throw new PrivateKeyError(
      "is encrypted in a way that is not read here. Store it without a passphrase (ssh-keygen -p).",
      false,
      { cause: key },
    );
  }
  const parsed = Array.isArray(key) ? key[0] : key;
  if (parsed.type.startsWith("ecdsa-")) {
    return serialize(ecdsaKey(parsed.getPrivatePEM(), parsed.getPublicSSH()));
  }
  return isLocked ? serialize(createPrivateKey(parsed.getPrivatePEM())) : text;
}

/**
 * Returns an ECDSA key from the PEM that ssh2 makes of an OpenSSH file. SEC 1 (RFC 5915) requires that the
 * private number has exactly the length of the curve. OpenSSH stores it with an extra zero byte, or without
 * its leading zeros. ssh2 copies it unchanged, so this function corrects its length.
 */
function ecdsaKey(pem: string, publicKey: Buffer): KeyObject {
  // The last field of the public key is the point: the byte 0x04, then x, then y.
  const size = (lastField(publicKey).length - 1) / 2;
  const { number, rest } = sec1Fields(Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ""), "base64"));
  const significant = number.subarray(Math.max(0, number.length - size));
  const padded = Buffer.concat([Buffer.alloc(size - significant.length), significant]);
  const version = Buffer.from([0x02, 1, 1]);
  const key = derField(0x30, Buffer.concat([version, derField(0x04, padded), rest]));
  return createPrivateKey({ format: "der", type: "sec1", key });
}

/** Returns the last field of an SSH public key. In front of each field is its length (RFC 4251). */
function lastField(blob: Buffer): Buffer {
  let at = 0;
  for (;;) {
    const end = at + 4 + blob.readUInt32BE(at);
    if (end >= blob.length) return blob.subarray(at + 4, end);
    at = end;
  }
}

/**
 * Splits a SEC 1 key in DER into the private number and the rest. The rest contains the curve and the public
 * key.
 */
function sec1Fields(der: Buffer): { number: Buffer; rest: Buffer } {
  const start = der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
  const at = start + 3; // skips the version: 02 01 01
  const end = at + 2 + der[at + 1]!;
  return { number: der.subarray(at + 2, end), rest: der.subarray(end) };
}

/** Encodes a DER field: tag, length and content. */
function derField(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function serialize(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return openSshPrivateKey(key);
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }) as string;
    case "ec":
      // ssh2 can't read keys of this curve on Deno.
      if (key.asymmetricKeyDetails?.namedCurve === "secp521r1") {
        throw new PrivateKeyError(
          "is an ECDSA key of 521 bits. Use Ed25519, RSA, or ECDSA of 256 or 384 bits.",
        );
      }
      return key.export({ type: "sec1", format: "pem" }) as string;
    default:
      throw new PrivateKeyError("is of a kind that SSH does not use. Use an Ed25519, ECDSA or RSA key.");
  }
}
