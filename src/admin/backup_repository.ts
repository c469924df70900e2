import type { NewBackupDestinationInput } from "../services/destinations/backup_destinations.ts";

export interface BackupRepository extends AsyncDisposable {
  /** For messages. */
  readonly description: string;
  /** The destination that it is to a control plane. */
  readonly destination: NewBackupDestinationInput;
  /** Every file below it, by its path from there. `skip` is told of each directory that may not be read. */
  paths(skip: (path: string, reason: string) => void): AsyncIterable<string>;
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Where a control plane finds the directory: an absolute path, or a key prefix. */
  directory(path: string): string;
}
