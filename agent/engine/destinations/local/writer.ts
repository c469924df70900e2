/** One file being written: whole and durable under its final name, or not there at all. */
import { exists } from "../../exists.ts";
import type { DirectWriting, ObjectWriter } from "../../ports.ts";
import { RunFailedError, UnansweredCreateError } from "../../ports.ts";
import { codeOf } from "./errors.ts";
import { type LocalFiles, SYNC_LIMIT } from "./files.ts";

const FILE_MODE = 0o600;
/**
 * Written bytes are pushed to the disk this often, beside the writing: left to the end, a large file's dirty
 * pages stall the last sync, and before that the kernel stalls every write.
 */
const SYNC_EVERY = 64 * 2 ** 20;

/** How long a cancelled run waits for its last write. Milliseconds. */
const LAST_WRITE = 15_000;

/** More than a file system may have left over in its last block. */
const PROBE_BYTES = 1 << 20;

export interface LocalWriterPorts {
  readonly signal: AbortSignal;
  readonly files: LocalFiles;
  /** A disk of this server, not a network's or a program's file system. */
  readonly isDisk: boolean;
}

export class LocalWriter implements ObjectWriter {
  #written = 0;
  #unsynced = 0;
  #syncing: Promise<void> | null = null;
  #syncFailure: unknown = null;
  #isClosed = false;
  #isPublished = false;

  private constructor(
    private readonly partial: string,
    private readonly final: string,
    private readonly ports: LocalWriterPorts,
    private readonly file: Deno.FsFile,
    /**
     * The same file: operations on one descriptor wait for each other, and a sync must not hold back a write.
     */
    private readonly syncFile: Deno.FsFile,
  ) {}

  /** Rejects with an {@link UnansweredCreateError} if it gives up while the file may still be created. */
  static async open(
    partial: string,
    final: string,
    ports: LocalWriterPorts,
  ): Promise<LocalWriter> {
    const { files } = ports;
    const opening = Promise.withResolvers<LocalWriter>();
    // Nobody listens but where it is given up.
    opening.promise.catch(() => {});
    let mayExist = false;
    try {
      return await files.at(`write to ${directoryOf(final)}`, async () => {
        mayExist = true;
        try {
          const file = await createFile(partial);
          const writer = new LocalWriter(partial, final, ports, file, await reopen(partial, file));
          opening.resolve(writer);
          return writer;
        } catch (error) {
          mayExist = false;
          opening.reject(error);
          throw error;
        }
      });
    } catch (error) {
      if (!mayExist) throw error;
      // The file appeared as the run ended, or will once the file system answers. Until then the agent may be
      // killed, so the verdict names it too.
      opening.promise.then((late) => files.answered().then(() => late.abort())).catch(() => {});
      throw new UnansweredCreateError((error as Error).message, { cause: error });
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.ports.signal.throwIfAborted();
    await this.ports.files.at(`write ${this.final}`, async () => {
      if (this.#syncFailure !== null) throw this.#syncFailure;
      for (let at = 0; at < chunk.length;) at += await this.file.write(chunk.subarray(at));
    });
    this.#count(chunk.length);
  }

  /**
   * Undefined where the file system may hang: the code that reads the file while a program writes it has no
   * time limit.
   */
  get direct(): DirectWriting | undefined {
    if (!this.ports.isDisk) return undefined;
    return {
      path: this.partial,
      written: (length) => this.#count(length),
      findFault: () =>
        this.ports.files.at(`write ${this.final}`, async () => {
          await this.file.seek(0, Deno.SeekMode.End);
          await this.file.write(new Uint8Array(PROBE_BYTES));
          await this.file.syncData();
        }),
    };
  }

  /** A failure is told by `commit`. */
  async settle(): Promise<void> {
    const settling = this.ports.files.at(`write ${this.final}`, async () => {
      await this.#syncing;
      this.#syncBeside();
      await this.#syncing;
    }, SYNC_LIMIT);
    await settling.catch((error) => void (this.#syncFailure ??= error));
  }

  async commit(): Promise<void> {
    this.ports.signal.throwIfAborted();
    await this.ports.files.at(`write ${this.final}`, async () => {
      await this.#syncing;
      if (this.#syncFailure !== null) throw this.#syncFailure;
      await this.file.sync();
    }, SYNC_LIMIT);
    this.#close();
    await this.ports.files.at(`write ${this.final}`, async () => {
      await this.#publish();
      await syncDirectory(directoryOf(this.final));
      const { size } = await Deno.stat(this.final);
      if (size !== this.#written) {
        throw new RunFailedError(
          `Cannot trust ${this.final}: it holds ${size} bytes of the ${this.#written} that were written`,
        );
      }
    }, SYNC_LIMIT);
  }

  async abort(): Promise<void> {
    // A cancel gives up the write in flight at once. Nothing can be removed before it returns.
    if (this.ports.signal.aborted) await this.ports.files.settled(LAST_WRITE);
    if (!this.#isClosed) {
      // Closing the file would write what is still in memory, and nothing can interrupt a close.
      await this.ports.files.at(`remove ${this.partial}`, async () => {
        await this.#syncing;
        await this.file.truncate(0);
      }).catch((error) => {
        // Removing it tells whether anything is left.
        if (!(error instanceof RunFailedError)) throw error;
      });
    }
    this.#close();
    for (const path of this.#isPublished ? [this.partial, this.final] : [this.partial]) {
      await this.ports.files.at(`remove ${path}`, async () => {
        try {
          await Deno.remove(path);
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
          if (await exists(directoryOf(path))) return;
          throw new RunFailedError(
            `Cannot remove ${path}: its directory is not there. See whether its file system is mounted.`,
          );
        }
      });
    }
  }

  #count(length: number): void {
    this.#written += length;
    this.#unsynced += length;
    if (this.#unsynced >= SYNC_EVERY && this.#syncing === null) this.#syncBeside();
  }

  #syncBeside(): void {
    this.#unsynced = 0;
    this.#syncing = this.syncFile.syncData()
      .catch((error: unknown) => void (this.#syncFailure = error))
      .finally(() => this.#syncing = null);
  }

  /** By a hard link, which never overwrites; where the file system has none, by a rename after a look. */
  async #publish(): Promise<void> {
    try {
      await Deno.link(this.partial, this.final);
      this.#isPublished = true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw alreadyThere(this.final);
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error) ?? "")) throw error;
      await this.#rename();
      return;
    }
    await Deno.remove(this.partial);
  }

  async #rename(): Promise<void> {
    try {
      await Deno.lstat(this.final);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.rename(this.partial, this.final);
      this.#isPublished = true;
      return;
    }
    throw alreadyThere(this.final);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.ports.files.close(this.file);
    this.ports.files.close(this.syncFile);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function alreadyThere(path: string): RunFailedError {
  return new RunFailedError(`Cannot write ${path}: another file took its name. Run the task again.`);
}

/** The file once more; where that fails, the first is closed and removed. */
async function reopen(path: string, file: Deno.FsFile): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    file.close();
    await Deno.remove(path);
    throw error;
  }
}

/** Never follows a link that somebody laid there; a partial file of a run that died is replaced. */
async function createFile(path: string): Promise<Deno.FsFile> {
  const options = { write: true, createNew: true, mode: FILE_MODE };
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    await Deno.remove(path);
    return await Deno.open(path, options);
  }
}

/** Makes names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path);
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems have no such thing: their names are durable by themselves, or never.
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes(codeOf(error) ?? "")) throw error;
  }
}
