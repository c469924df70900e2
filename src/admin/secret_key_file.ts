/**
 * Reads and writes the key file. Keys in the environment are not changed here: only the operator can do that.
 */
import type { Config } from "../config.ts";
import { keyId, newSecretKey, readSecretKeys, writeSecretKeys } from "../process/secret_keys.ts";
import { StartError } from "../process/start_error.ts";

export interface KeyFile {
  readonly path: string;
  /** Returns the keys in use, the current one first. */
  keys(): Promise<Uint8Array[]>;
  write(keys: readonly Uint8Array[]): Promise<void>;
  /** Returns the retired keys, the newest last. Older backups of the control plane need them. */
  retired(): Promise<Uint8Array[]>;
  /** Adds the keys to the retired keys, without duplicates. */
  retire(keys: readonly Uint8Array[]): Promise<void>;
}

export function keyFileOf({ secretKeyFile: path }: Config): KeyFile {
  const retired = async () => await readSecretKeys(`${path}.retired`) ?? [];
  return {
    path,
    async keys() {
      const keys = await readSecretKeys(path);
      if (keys === null) throw new StartError(`Cannot find the secret key: ${path} is not there`);
      return keys;
    },
    write: (keys) => writeSecretKeys(path, keys),
    retired,
    async retire(keys) {
      const known = await retired();
      const ids = new Set(known.map(keyId));
      const all = [...known, ...keys.filter((key) => !ids.has(keyId(key)))];
      if (all.length > known.length) await writeSecretKeys(`${path}.retired`, all);
    },
  };
}

export { keyId, newSecretKey };
