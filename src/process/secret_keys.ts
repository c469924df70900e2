/** The keys that seal secrets at rest: from the environment, or from a file that the first start makes. */
import { type Config, parseSecretKeys, SECRET_KEY_SHAPE } from "../config.ts";
import { makeKeyFile, readKeyFile } from "../secrets/key_file.ts";
import { Keyring } from "../secrets/keyring.ts";
import { anyUser } from "../store/bootstrap.ts";
import type { Database } from "../store/database.ts";
import { StartError } from "./start_error.ts";

/** Makes a key only for a new database: in a used one, a lost key must be missed and not replaced. */
export async function openKeyring(config: Config, database: Database): Promise<Keyring> {
  const known = await knownKeyring(config);
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

/** Null where there is no key yet. */
export async function knownKeyring(config: Config): Promise<Keyring | null> {
  if (config.secretKeys !== null) return new Keyring(config.secretKeys);
  const path = config.secretKeyFile;
  const text = await readKeyFile(path);
  if (text !== null) {
    const keys = parseSecretKeys(text);
    if (keys !== null) return new Keyring(keys, `the file ${path}`);
    throw new StartError(`Cannot start: ${path} must hold ${SECRET_KEY_SHAPE}`);
  }
  return null;
}
