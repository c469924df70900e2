/**
 * Creates the keys of a run's encrypted files. Deriving a key from a password takes one second of processor
 * time, so the next file's key is created while the current file is written.
 */
import type { Children } from "../programs/children.ts";
import { type EncryptionKey, type FileKey, makeFileKey } from "./encrypt.ts";

export class FileKeys {
  #next: Promise<FileKey> | null = null;
  /** Number of files that still need a key. */
  #expected = 0;

  constructor(private readonly key: EncryptionKey, private readonly children: Children) {}

  /** Announces the expected number of files and starts creating the first key. The number is not binding. */
  expect(files: number): void {
    this.#expected = files;
    if (files > 0) this.#next ??= this.#make();
  }

  /** Returns the key of one file. */
  take(): Promise<FileKey> {
    const taken = this.#next ?? this.#make();
    this.#expected--;
    // Creates one key at a time, because each needs 256 MiB.
    this.#next = this.#expected > 0 ? ignoreRejection(taken.then(() => this.#make())) : null;
    return taken;
  }

  #make(): Promise<FileKey> {
    return ignoreRejection(makeFileKey(this.key, this.children));
  }
}

/** Prevents an unhandled rejection of a key that fails before it is taken, or that is never taken. */
function ignoreRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
