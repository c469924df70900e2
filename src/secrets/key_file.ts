/** Reads and writes the file with the secret keys. The file is used if the environment contains no keys. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";

/** Reports that the key file cannot be used. The message is one line, and contains no key. */
class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/**
 * Returns the text of the key file; null if it does not exist. Throws if other users have access to the file.
 *
 * @param path An absolute path.
 */
export async function readKeyFile(path: string): Promise<string | null> {
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new KeyFileError(`Cannot use the secret key in ${path}: other users may read it; chmod 600 it`);
    }
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    if (cause instanceof KeyFileError) throw cause;
    throw new KeyFileError(`Cannot read the secret key in ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Replaces the text of the file atomically, and lets only the owner read it. A concurrent reader gets either
 * the old text or the new one.
 */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await Deno.remove(temporary).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    });
    const owner = await Deno.stat(path).catch(() => null);
    {
      using file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(text);
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    }
    // Keeps the owner, because root might rotate the key of a service that runs as another user.
    if (owner !== null && owner.uid !== Deno.uid()) await Deno.chown(temporary, owner.uid, owner.gid);
    await Deno.rename(temporary, path);
    using directory = await Deno.open(dirname(path));
    await directory.sync();
  } catch (cause) {
    throw new KeyFileError(`Cannot write the secret key to ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Creates the file with one random key in base64, syncs it to disk, and returns the key. Never overwrites an
 * existing file.
 */
export async function makeKeyFile(path: string): Promise<Uint8Array> {
  const key = randomBytes(32);
  try {
    using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
    await file.write(Buffer.from(`${key.toString("base64")}\n`));
    await file.sync();
  } catch (cause) {
    throw new KeyFileError(`Cannot make the secret key in ${path}: ${(cause as Error).message}`, { cause });
  }
  return key;
}
