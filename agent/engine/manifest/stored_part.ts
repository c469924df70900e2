import type { StoredStats } from "../../../src/domain/guards/guard.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { DatabaseContents } from "../sources/database/row_counts.ts";
import type { SourcePart } from "../sources/source.ts";

/** A part of a source that was stored. */
export interface StoredPart {
  part: SourcePart;
  archive: StoredObject;
  index: StoredObject | null;
  /** Uncompressed size of the part, in bytes. */
  bytesRead: number;
  /** How many of the bytes in `bytesRead` are in incompressible frames. */
  incompressible: number;
  filesCount: number | null;
  /** Number of files that could not be read. */
  unreadable: number;
  /** The contents of a database whose rows were counted; null if no rows were counted. */
  contents: DatabaseContents | null;
}

/** Returns how many files of the whole backup could not be read. */
export function unreadableCount(parts: readonly StoredPart[]): number {
  return parts.reduce((total, { unreadable }) => total + unreadable, 0);
}

/** Returns the stats of the whole backup: the sums over all parts. */
export function statsOf(parts: readonly StoredPart[]): StoredStats {
  const sum = (number: (part: StoredPart) => number) =>
    parts.reduce((total, part) => total + number(part), 0);
  const bytesRead = sum((part) => part.bytesRead);
  return {
    size: sum((part) => part.archive.size),
    bytes_read: bytesRead,
    files_count: parts.every((part) => part.filesCount === null) ? null : sum((part) => part.filesCount ?? 0),
    incompressible_share: bytesRead === 0 ? null : sum((part) => part.incompressible) / bytesRead,
  };
}
