import type { NewBackupDestinationInput } from "../services/destinations/backup_destinations.ts";

export interface BackupRepository extends AsyncDisposable {
  /** The repository's name in messages. */
  readonly description: string;
  /** The backup destination that corresponds to the repository. */
  readonly destination: NewBackupDestinationInput;
  /**
   * Yields every file below the repository, by relative path. Calls `skip` for each directory that it may not
   * read.
   */
  paths(skip: (path: string, reason: string) => void): AsyncIterable<string>;
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Returns the directory that a control plane uses for a path: an absolute path, or a key prefix. */
  directory(path: string): string;
}
