/**
 * The keys of a run's encrypted files. One that is sealed by a password takes a processor for a second: while
 * a file is written, the next one's is made.
 */
import type { Children } from "../programs/children.ts";
import { type EncryptionKey, type FileKey, makeFileKey } from "./encrypt.ts";

export class FileKeys {
  #ahead: Promise<FileKey> | null = null;
  /** How many files are still to begin. */
  #expected = 0;

  constructor(private readonly key: EncryptionKey, private readonly children: Children) {}

  /** Says how many files there will be, and makes the first one's key. More may be taken, or fewer. */
  expect(files: number): void {
    this.#expected = files;
    if (files > 0) this.#ahead ??= this.#make();
  }

  /** Of one file. */
  take(): Promise<FileKey> {
    const taken = this.#ahead ?? this.#make();
    this.#expected--;
    // One at a time: each takes 256 MiB.
    this.#ahead = this.#expected > 0 ? handled(taken.then(() => this.#make())) : null;
    return taken;
  }

  #make(): Promise<FileKey> {
    return handled(makeFileKey(this.key, this.children));
  }
}

/** It may fail before anybody asks for it, or be ended when nobody will. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
