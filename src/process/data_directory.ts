/** Locks the data directory, so that only one server process uses it. Stores the id of this process there. */
import { dirname, join } from "node:path";
import { StartError } from "./start_error.ts";

const LOCK = "rearguard.lock";
const PID = "rearguard.pid";

/**
 * A lock on the data directory. It is released when this object is disposed, or when the process ends for any
 * reason.
 */
export class DataDirectory implements AsyncDisposable {
  readonly #lock: Deno.FsFile;

  private constructor(readonly path: string, lock: Deno.FsFile) {
    this.#lock = lock;
  }

  /**
   * Locks the directory, after creating it if necessary. Rejects with a {@link StartError} if another process
   * has the lock, or if the directory cannot be written. `path` is absolute.
   */
  static async take(path: string): Promise<DataDirectory> {
    const lock = await openLock(path);
    if (!await lock.tryLock(true)) {
      lock.close();
      const pid = (await Deno.readTextFile(join(path, PID)).catch(() => "")).trim();
      const who = pid === "" ? "another Rearguard" : `another Rearguard (process ${pid})`;
      throw new StartError(
        `Cannot start: ${who} uses ${path}; stop it, or set DATA_DIR to another directory`,
      );
    }
    const temporary = join(path, `${PID}.new`);
    await Deno.writeTextFile(temporary, `${Deno.pid}\n`);
    await Deno.rename(temporary, join(path, PID));
    return new DataDirectory(path, lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(join(this.path, PID));
    this.#lock.close();
  }
}

async function makeDirectory(path: string): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 }).catch((cause) => {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
  });
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    await makeDirectory(path).catch(async (cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      // Parent directories are created only if they are missing, because this user might not be allowed to
      // write in them.
      await Deno.mkdir(dirname(path), { recursive: true });
      await makeDirectory(path);
    });
    return await Deno.open(join(path, LOCK), { create: true, write: true, mode: 0o600 });
  } catch (cause) {
    throw new StartError(
      `Cannot start: the data directory ${path} can't be written: ${(cause as Error).message}; ` +
        "set DATA_DIR to a directory that this user may write",
      { cause },
    );
  }
}
