/** Compares what a restore was asked for with what it has written. */

/** An amount of data. Null for what is not known, and for what the source does not have. */
export interface RestoreAmounts {
  /** Number of members that are not directories. */
  readonly files_count: number | null;
  readonly directories_count: number | null;
  readonly bytes: number | null;
  readonly databases_count: number | null;
  /** Number of rows in the databases. */
  readonly rows_count: number | null;
}

/** The counts of a finished restore. */
export interface RestoreCounts {
  readonly requested: RestoreAmounts;
  readonly written: RestoreAmounts;
  /** Number of files and directories that were asked for and could not be written. */
  readonly skipped_count: number;
  /** The first of the paths, or of the names of databases, that were written. */
  readonly targets: readonly string[];
  readonly targets_count: number;
}

/** Returns whether a restore wrote nothing although it was asked for something. */
export function wroteNothing({ requested, written }: RestoreCounts): boolean {
  return sum(requested) > 0 && sum(written) === 0;
}

function sum({ files_count, directories_count, databases_count }: RestoreAmounts): number {
  return (files_count ?? 0) + (directories_count ?? 0) + (databases_count ?? 0);
}
