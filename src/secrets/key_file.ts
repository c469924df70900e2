/** The file that holds the secret keys where the environment does not. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** The file can't serve. The message is one line, without a key in it. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/**
 * The text of the key file, null where it is absent. Refuses one that other users may read.
 *
 * @param path Absolute.
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

/** Makes the file with one random key (base64), on disk when this resolves. Never writes over one that is there. */
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
