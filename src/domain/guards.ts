/**
 * Detects anomalies: a backup that shrank, or whose data stopped compressing, as files do when ransomware
 * encrypts them.
 */

/** The action of a task on a suspicious backup. */
export const GUARD_ACTIONS = ["warn", "fail", "ignore"] as const;
export type GuardAction = typeof GUARD_ACTIONS[number];

/** How many of a task's last backups define the usual values. */
export const HISTORY_LENGTH = 7;
/** The minimum number of earlier backups. With fewer, nothing is compared. */
export const HISTORY_MINIMUM = 3;
/** A value below this fraction of the median has shrunk. */
export const SHRUNK = 0.5;
/**
 * The rise from which compression counts as sharply worse: of the whole ratio, or of the incompressible
 * share.
 */
export const SHARP_RISE = 0.25;
/** In bytes read. In a smaller backup, one more picture among a few texts would be a sharp rise. */
export const MINIMUM_BYTES_READ = 1_000_000;

/** The stats of a backup, or the medians of several. */
export interface BackupStats {
  /** Stored bytes of all archives. */
  size: number;
  /** Uncompressed bytes of all archives. */
  bytes_read: number;
  /** Null if the source counts no files, such as a database. */
  files_count: number | null;
  /** From 0 to 1: the part of `bytes_read` in frames that did not compress. Null if it was not measured. */
  incompressible_share: number | null;
}

/** The medians of a task's last backups, each value on its own. */
export interface UsualStats extends BackupStats {
  /** The number of backups in the medians. */
  backups_count: number;
  /** `size / bytes_read`. */
  compression: number;
}

/** Returns the names of the values that are less than half of the usual ones. */
export function shrunkStats(
  now: BackupStats,
  usual: UsualStats,
): ("size" | "bytes_read" | "files_count")[] {
  return (["files_count", "bytes_read", "size"] as const).filter((figure) =>
    (now[figure] ?? Infinity) < SHRUNK * (usual[figure] ?? 0)
  );
}

/**
 * Returns whether data that compressed was replaced by data that does not. Both measures are needed. The
 * share of frames shows a change of only some files. The whole ratio shows a change of files so small that
 * tar's headers between them still compress. If less is stored than usual, nothing was replaced: compressible
 * files were deleted.
 */
export function hasSharpRise(now: BackupStats, usual: UsualStats): boolean {
  if (now.bytes_read < MINIMUM_BYTES_READ || now.size <= usual.size) return false;
  const rise = now.size / now.bytes_read - usual.compression;
  const shareRise = now.incompressible_share === null || usual.incompressible_share === null
    ? 0
    : now.incompressible_share - usual.incompressible_share;
  return Math.max(rise, shareRise) >= SHARP_RISE;
}

/** Joins a backup's anomalies into one line; returns null if there are none. */
export function describeAnomalies(
  { suspicion, shrinking }: { suspicion?: string | null | undefined; shrinking?: string | null | undefined },
): string | null {
  return [suspicion, shrinking].filter((doubt) => typeof doubt === "string").join("; ") || null;
}
