import type { NewBackupDestinationInput } from "../services/destinations/backup_destinations.ts";

export interface BackupRepository extends AsyncDisposable {
  /** The repository's name in messages. */
  readonly description: string;
  /** The backup destination that corresponds to the repository. */
  readonly destination: NewBackupDestinationInput;
  /**
   * Yields the relative path of every file below the repository's root. Calls `skip` for each directory that
   * the user is not allowed to read.
   */
  paths(skip: (path: string, reason: string) => void): AsyncIterable<string>;
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  /**
   * Returns the directory that a control plane records for a path below the repository's root. On a disk,
   * this is an absolute path. In a bucket, it is a key prefix.
   */
  directory(path: string): string;
}
