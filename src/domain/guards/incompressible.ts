/** Detects data that no longer compresses. This happens when ransomware encrypts files, for example. */
import { type Guard, type StoredStats, type UsualStats } from "./guard.ts";
import { missingBackups } from "./missing_history.ts";

/** Minimum rise that counts as sharp, both for `size / bytes_read` and for the incompressible share. */
export const SHARP_RISE = 0.25;
/**
 * Minimum size of a checked backup, in bytes read. Smaller backups are not checked, because a single added
 * picture could cause a sharp rise.
 */
export const MINIMUM_BYTES_READ = 1_000_000;

/**
 * Returns whether compressible data was replaced by incompressible data. Uses two measures, because each of
 * them misses some changes:
 * - The share of incompressible frames. It rises even if only some files changed. It stays low for small
 *   files, because the tar headers between them still compress.
 * - The ratio `size / bytes_read`. It also rises for small files.
 *
 * Returns false if the backup is not larger than usual. A measure that rises in such a backup rises because
 * compressible files were deleted, not because they were replaced.
 */
export function hasSharpRise(now: StoredStats, usual: UsualStats): boolean {
  if (now.bytes_read < MINIMUM_BYTES_READ || now.size <= usual.size) return false;
  const rise = now.size / now.bytes_read - usual.compression;
  const shareRise = now.incompressible_share === null || usual.incompressible_share === null
    ? 0
    : now.incompressible_share - usual.incompressible_share;
  return Math.max(rise, shareRise) >= SHARP_RISE;
}

function describeRise(now: StoredStats, usual: UsualStats): string | null {
  if (!hasSharpRise(now, usual)) return null;
  const signs = [
    `${percent(now.size / now.bytes_read)} of the bytes read are stored (median ${
      percent(usual.compression)
    })`,
    ...now.incompressible_share === null || usual.incompressible_share === null ? [] : [
      `${percent(now.incompressible_share)} of the data does not compress at all (median ${
        percent(usual.incompressible_share)
      })`,
    ],
  ];
  return `possible ransomware: the data compresses much worse than in the last ${usual.backups_count} backups: ${
    signs.join(", ")
  }`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export const incompressible: Guard<"backup.suspicious"> = {
  summary:
    `The data compresses worse, as after ransomware: of the bytes read, at least ${SHARP_RISE * 100} ` +
    "percentage points more are stored, or don't compress at all.",
  severity: "critical",
  defaultAction: "warn",
  missingHistory: missingBackups,
  judge: (backup, { usual }) => usual && describeRise(backup, usual),
  advice: {
    warn:
      "Look at the files on the server. Older backups are kept from rotation meanwhile. If the rise is right, " +
      "set the task's on_incompressible to ignore until the median has adapted.",
    fail:
      "Look at the files on the server. Nothing of this run is kept. If the rise is right, set the task's " +
      "on_incompressible to ignore until the median has adapted.",
  },
  notification: {
    event: "backup.suspicious",
    title: ({ task }) => `A backup of ${task} may contain files that ransomware encrypted`,
    next: ({ server, clear }) =>
      `Look at the files on ${server} now. ` +
      `Older backups are kept from rotation. If the change is right, clear the backup with ${clear}.`,
  },
};
