/** Generates SSH keys in the formats of OpenSSH (RFC 8709 and OpenSSH's PROTOCOL.key). */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

export interface SshKeyPair {
  /** The public key, as a line for `authorized_keys`. */
  publicKey: string;
  /** The private key, as the text of a key file without a passphrase. */
  privateKey: string;
}

const TYPE = "ssh-ed25519";

/**
 * Generates an Ed25519 key pair. Both keys contain `comment`, so that people can tell whose keys they are.
 */
export function generateSshKey(comment: string): SshKeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { blob } = partsOf(privateKey);
  return {
    publicKey: `${TYPE} ${blob.toString("base64")} ${comment}`,
    privateKey: openSshPrivateKey(privateKey, comment),
  };
}

/** Returns the text of a key file for an Ed25519 private key. */
export function openSshPrivateKey(key: KeyObject, comment = ""): string {
  const { point, seed, blob } = partsOf(key);
  return armour(
    Buffer.concat([
      Buffer.from("openssh-key-v1\0"),
      field("none"), // cipher
      field("none"), // key derivation
      field(""),
      number(1),
      field(blob),
      field(secretPart(blob, point, seed, comment)),
    ]),
  );
}

function partsOf(key: KeyObject): { point: Buffer; seed: Buffer; blob: Buffer } {
  const { x, d } = key.export({ format: "jwk" });
  const point = Buffer.from(x!, "base64url");
  return { point, seed: Buffer.from(d!, "base64url"), blob: Buffer.concat([field(TYPE), field(point)]) };
}

function secretPart(blob: Buffer, point: Buffer, seed: Buffer, comment: string): Buffer {
  const check = randomBytes(4); // stored twice, so that a wrong passphrase is noticed
  const part = Buffer.concat([check, check, blob, field(Buffer.concat([seed, point])), field(comment)]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - part.length % 8) % 8);
  return Buffer.concat([part, padding]);
}

/** Encodes a field: its length in four bytes, then its bytes. */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function armour(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,70}/g)!;
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}
