/**
 * Private keys for SSH log-ins as people have them (PKCS#8, PEM, OpenSSH; with a passphrase or without) made one that the
 * agent's SSH library reads: without a passphrase, as it is sealed like every secret.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { openSshPrivateKey } from "./ssh_key.ts";

/** The key can't be used as it was sent. The message is a sentence about `it`, and holds nothing of the key. */
export class PrivateKeyError extends Error {
  constructor(message: string, readonly isPassphrase = false, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Returns the text of a key file without a passphrase, unchanged where it can be used as it is. Throws a
 * {@link PrivateKeyError}.
 *
 * @param passphrase Null: the key has none.
 */
export async function usablePrivateKey(text: string, passphrase: string | null): Promise<string> {
  const label = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----/.exec(text)?.[1]?.trim();
  switch (label) {
    case "OPENSSH":
      return isLockedOpenSsh(text) ? await unlockOpenSsh(text, passphrase) : text;
    case "":
    case "ENCRYPTED":
      return written(unlockPem(text, label === "ENCRYPTED", passphrase));
    default: {
      const isLocked = /^Proc-Type: *4, *ENCRYPTED/m.test(text);
      return isLocked ? written(unlockPem(text, true, passphrase)) : text;
    }
  }
}

function needsPassphrase(): PrivateKeyError {
  return new PrivateKeyError("is protected by a passphrase. Send that as sftp_private_key_passphrase.");
}

function wrongPassphrase(cause: unknown): PrivateKeyError {
  return new PrivateKeyError("does not open the private key.", true, { cause });
}

/** The cipher's name is the first field of OpenSSH's PROTOCOL.key. */
function isLockedOpenSsh(text: string): boolean {
  const base64 = text.replace(/-----[^-]*-----/g, "").replace(/\s+/g, "");
  let head: string;
  try {
    head = atob(base64.slice(0, 64));
  } catch {
    // Nothing that can be unlocked: connecting tells what is wrong with it.
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

async function unlockOpenSsh(text: string, passphrase: string | null): Promise<string> {
  if (passphrase === null) throw needsPassphrase();
  // Its WebAssembly loader asks for this at once.
  (globalThis as { __dirname?: string }).__dirname ??= import.meta.dirname ?? "/";
  const { default: ssh2 } = await import("ssh2") as unknown as { default: typeof import("ssh2") };
  const key = ssh2.utils.parseKey(text, passphrase);
  if (key instanceof Error) {
    if (/passphrase/i.test(key.message)) throw wrongPassphrase(key);
    throw new PrivateKeyError(
      "is encrypted in a way that is not read here. Store it without a passphrase (ssh-keygen -p).",
      false,
      { cause: key },
    );
  }
  const parsed = Array.isArray(key) ? key[0] : key;
  return written(createPrivateKey(parsed.getPrivatePEM()));
}

function written(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return openSshPrivateKey(key);
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }) as string;
    case "ec":
      return key.export({ type: "sec1", format: "pem" }) as string;
    default:
      throw new PrivateKeyError("is of a kind that SSH does not use. Use an Ed25519, ECDSA or RSA key.");
  }
}
