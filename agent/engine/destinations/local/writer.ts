/** Writes one file. The file appears under its final name only when it is complete and durable. */
import { exists } from "../../exists.ts";
import type { DirectWriting, ObjectWriter } from "../../ports.ts";
import { RunFailedError, UnansweredCreateError } from "../../ports.ts";
import { codeOf } from "./errors.ts";
import { type LocalFiles, SYNC_LIMIT } from "./files.ts";

const FILE_MODE = 0o600;
/**
 * Number of bytes after which written data is synced to the disk. The sync runs in parallel with further
 * writes. Without such syncs, the kernel stalls the writes of a large file. The sync at the end of the file
 * then stalls too.
 */
const SYNC_EVERY = 64 * 2 ** 20;

/** Time that a cancelled run waits for its pending write, in milliseconds. */
const LAST_WRITE = 15_000;

/**
 * Number of bytes that are written to find out why a write failed. The last block of a file never has room
 * for all of these bytes. So the write needs new space on the disk, and fails if there is none.
 */
const PROBE_BYTES = 1 << 20;

export interface LocalWriterPorts {
  readonly signal: AbortSignal;
  readonly files: LocalFiles;
  /**
   * Whether the file is on a disk of this server. False for network file systems and for file systems that a
   * program provides.
   */
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
     * A second descriptor of the same file, for syncs. Operations on one descriptor wait for each other, and
     * a write must not wait for a sync.
     */
    private readonly syncFile: Deno.FsFile,
  ) {}

  /**
   * Creates the partial file and returns its writer. Rejects with an {@link UnansweredCreateError} if the
   * file system did not answer in time, and might still create the file later.
   */
  static async open(
    partial: string,
    final: string,
    ports: LocalWriterPorts,
  ): Promise<LocalWriter> {
    const { files } = ports;
    const opening = Promise.withResolvers<LocalWriter>();
    // Prevents an unhandled rejection: the promise is awaited only if the file was not created in time.
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
      // The file system did not respond within the time limit. It might create the file later, or might
      // already have created it. In both cases, remove the file once the file system responds. The agent
      // might be killed before that, so the verdict also names the file.
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
   * Lets a program write the file directly. Meanwhile, the agent reads the file. These reads have no time
   * limit, so they could hang forever if the file system hangs. Undefined if the file system might hang.
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

  /** Syncs the written bytes. Does not reject: `commit` reports a failure. */
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
    // A cancelled run has given up its pending write. The file cannot be removed before that write returns.
    if (this.ports.signal.aborted) await this.ports.files.settled(LAST_WRITE);
    if (!this.#isClosed) {
      // Empty the file before closing it. Otherwise, closing the file would write its bytes that are still in
      // memory. Such a close cannot be interrupted.
      await this.ports.files.at(`remove ${this.partial}`, async () => {
        await this.#syncing;
        await this.file.truncate(0);
      }).catch((error) => {
        // Ignore the failure. The next step removes the file, which shows whether anything is left.
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
            `Cannot remove ${path}: its directory does not exist. Check whether its file system is mounted.`,
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

  /**
   * Publishes the file with a hard link, because a link never overwrites another file. If the file system
   * does not support hard links, checks that the final name is free, and renames the file.
   */
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

/**
 * Opens a file a second time and returns the second descriptor. If the second open fails, closes and removes
 * the file.
 */
async function reopen(path: string, file: Deno.FsFile): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    file.close();
    await Deno.remove(path);
    throw error;
  }
}

/**
 * Creates and opens a file without following symbolic links. Replaces a partial file that a dead run left.
 */
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

/** Syncs a directory, so that the names of its files are durable. */
export async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path);
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems cannot sync a directory, so ignore these errors. A sync is either not needed,
    // because the file system makes file names durable at once, or not possible at all.
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes(codeOf(error) ?? "")) throw error;
  }
}
