/** Loads the secret keys from the environment, or from a file that the first start creates. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { type Config, parseSecretKeys, SECRET_KEY_SHAPE } from "../config.ts";
import { makeKeyFile, readKeyFile, writeKeyFile } from "../secrets/key_file.ts";
import { keyId, Keyring } from "../secrets/keyring.ts";
import { anyUser } from "../store/access/bootstrap.ts";
import type { Database } from "../store/database/sql.ts";
import { disagreeingReplica, type HeldKeys, type KeyCheck, missingKeys } from "./key_check.ts";
import { StartError } from "./start_error.ts";

export { keyId };
export { Keyring };

/**
 * Loads the configured keys. If no keys are configured and the database is new, creates a key. If no keys are
 * configured and the database is in use, throws: the key of the stored secrets is missing, and a new key
 * could not decrypt them.
 */
export async function openKeyring(config: Config, database: Database): Promise<Keyring> {
  const known = await loadKeyring(config);
  if (known !== null) return known;
  const path = config.secretKeyFile;
  if (await anyUser(database)) {
    throw new StartError(
      `Cannot start: the secret key is missing (${path}), and this database is in use already; ` +
        "put the file back, or set SECRET_KEY",
    );
  }
  return new Keyring([await makeKeyFile(path)], `the file ${path}`);
}

/**
 * Rejects with a {@link StartError} if these keys do not match the database or other control planes.
 *
 * @param self See {@link disagreeingReplica}.
 */
export async function requireMatchingKeys(
  check: KeyCheck,
  keys: HeldKeys,
  self: string | null = null,
): Promise<void> {
  const problem = await missingKeys(check.database, keys, check.lostKeyIds) ??
    await disagreeingReplica(check, keys, self);
  if (problem !== null) throw new StartError(`Cannot start: ${problem}`);
}

/** Loads the configured keys; returns null if there are none yet. */
export async function loadKeyring(config: Config): Promise<Keyring | null> {
  if (config.secretKeys !== null) return new Keyring(config.secretKeys);
  const path = config.secretKeyFile;
  const keys = await readSecretKeys(path);
  return keys === null ? null : new Keyring(keys, `the file ${path}`);
}

/** Returns the keys of a file, the current one first; null if the file does not exist. */
export async function readSecretKeys(path: string): Promise<Uint8Array[] | null> {
  const text = await readKeyFile(path);
  if (text === null) return null;
  const keys = parseSecretKeys(text);
  if (keys !== null) return keys;
  throw new StartError(`Cannot start: ${path} must hold ${SECRET_KEY_SHAPE}`);
}

/** Replaces the keys in the file. Writes them in base64, one on each line. */
export async function writeSecretKeys(path: string, keys: readonly Uint8Array[]): Promise<void> {
  await writeKeyFile(path, keys.map((key) => `${Buffer.from(key).toString("base64")}\n`).join(""));
}

export function newSecretKey(): Uint8Array {
  return randomBytes(32);
}
