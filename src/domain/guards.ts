/**
 * What makes a backup look wrong beside the last ones of its task: it shrank, or what used to compress does
 * not any more, as files do not that were encrypted by somebody who asks for ransom.
 */

/** What a task does where a backup looks wrong. */
export const GUARD_ACTIONS = ["warn", "fail", "ignore"] as const;
export type GuardAction = typeof GUARD_ACTIONS[number];

/** How many of a task's last backups tell what is usual. */
export const HISTORY_LENGTH = 7;
/** Fewer tell nothing. */
export const HISTORY_MINIMUM = 3;
/** Less than this part of the median has shrunk. */
export const SHRUNK = 0.5;
/**
 * What was read compresses worse by at least this: of the whole, or of the share that does not compress at
 * all.
 */
export const SHARP_RISE = 0.25;
/** Bytes read. Below, one picture more among a few texts would be a sharp rise. */
export const LEAST_JUDGED = 1_000_000;

/** A backup by its numbers, or the medians of several. */
export interface BackupFigures {
  /** Bytes as stored, of all archives. */
  size: number;
  /** Uncompressed bytes of all archives. */
  bytes_read: number;
  /** Null where the source counts none, as databases do. */
  files_count: number | null;
  /**
   * From 0 to 1: the part of `bytes_read` in frames that did not compress. Null where it was not measured.
   */
  incompressible_share: number | null;
}

/** Medians of a task's last backups, each figure's own. */
export interface UsualFigures extends BackupFigures {
  /** Of how many backups. */
  backups_count: number;
  /** `size / bytes_read`. */
  compression: number;
}

/** The figures that are less than half of what is usual. */
export function shrunkFigures(
  now: BackupFigures,
  usual: UsualFigures,
): ("size" | "bytes_read" | "files_count")[] {
  return (["files_count", "bytes_read", "size"] as const).filter((figure) =>
    (now[figure] ?? Infinity) < SHRUNK * (usual[figure] ?? 0)
  );
}

/**
 * Whether bytes that compressed were replaced by bytes that don't. Both measures are needed: frames show it
 * where only a part of the files changed, the whole shows it where files are so small that tar's own headers
 * between them still compress. Where less is stored than usual, nothing was replaced: what compressed has
 * been deleted.
 */
export function hasSharpRise(now: BackupFigures, usual: UsualFigures): boolean {
  if (now.bytes_read < LEAST_JUDGED || now.size <= usual.size) return false;
  const rise = now.size / now.bytes_read - usual.compression;
  const shareRise = now.incompressible_share === null || usual.incompressible_share === null
    ? 0
    : now.incompressible_share - usual.incompressible_share;
  return Math.max(rise, shareRise) >= SHARP_RISE;
}

/** All that is doubtful of a backup, in one line; null where nothing is. */
export function describeAnomalies(
  { suspicion, shrinking }: { suspicion?: string | null | undefined; shrinking?: string | null | undefined },
): string | null {
  return [suspicion, shrinking].filter((doubt) => typeof doubt === "string").join("; ") || null;
}
