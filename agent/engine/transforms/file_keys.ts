/**
 * Creates the file keys of a run. Deriving a key from a password takes a second of processor time, so the
 * next key is created while the current file is written.
 */
import type { Children } from "../programs/children.ts";
import { type EncryptionKey, type FileKey, makeFileKey } from "./encrypt.ts";

export class FileKeys {
  #next: Promise<FileKey> | null = null;
  /** Number of files for which a key is still to be taken. */
  #expected = 0;

  constructor(private readonly key: EncryptionKey, private readonly children: Children) {}

  /**
   * Announces how many files are expected, and starts creating the first key. The real number might be higher
   * or lower.
   */
  expect(files: number): void {
    this.#expected = files;
    if (files > 0) this.#next ??= this.#make();
  }

  /** Returns a key for one file, and starts creating the next key if another file is expected. */
  take(): Promise<FileKey> {
    const taken = this.#next ?? this.#make();
    this.#expected--;
    // Create one key at a time, because each needs 256 MiB of memory.
    this.#next = this.#expected > 0 ? ignoreRejection(taken.then(() => this.#make())) : null;
    return taken;
  }

  #make(): Promise<FileKey> {
    return ignoreRejection(makeFileKey(this.key, this.children));
  }
}

/**
 * Prevents an unhandled rejection if a key cannot be created and nobody awaits its promise. Nobody awaits the
 * promise before the key is taken, and a key might never be taken.
 */
function ignoreRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
