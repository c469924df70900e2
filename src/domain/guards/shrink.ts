/** Detects a backup that is much smaller than usual, because something may be missing from it. */
import { formatBytes } from "../byte_size.ts";
import { type Guard, type StoredStats, type UsualStats } from "./guard.ts";
import { missingBackups } from "./missing_history.ts";

/** A value below this fraction of the median counts as shrunk. */
const SHRUNK = 0.5;

/** Returns the names of the stats that are less than half of their median. */
export function shrunkStats(
  now: StoredStats,
  usual: UsualStats,
): ("size" | "bytes_read" | "files_count")[] {
  return (["files_count", "bytes_read", "size"] as const).filter((name) =>
    (now[name] ?? Infinity) < SHRUNK * (usual[name] ?? 0)
  );
}

function describeShrinking(now: StoredStats, usual: UsualStats): string | null {
  const shrunk = shrunkStats(now, usual).map((name) => {
    switch (name) {
      case "files_count":
        return `${now.files_count} files (median ${Math.round(usual.files_count!)})`;
      case "bytes_read":
        return `${formatBytes(now.bytes_read)} read (median ${formatBytes(Math.round(usual.bytes_read))})`;
      case "size":
        return `${formatBytes(now.size)} stored (median ${formatBytes(Math.round(usual.size))})`;
    }
  });
  if (shrunk.length === 0) return null;
  return `it shrank to less than half of the last ${usual.backups_count} backups' median: ${
    shrunk.join(", ")
  }`;
}

export const shrink: Guard<"backup.shrunken"> = {
  summary: "There are fewer files, or fewer bytes read or stored, than half of the median.",
  severity: "critical",
  defaultAction: "warn",
  missingHistory: missingBackups,
  judge: (backup, { usual }) => usual && describeShrinking(backup, usual),
  advice: {
    warn:
      "Check that nothing is missing from the source. Older backups are kept from rotation meanwhile. If the change is right, " +
      "clear this backup, and set the task's on_shrink to ignore until the median has adapted.",
    fail:
      "Check that nothing is missing from the source. If the change is right, set the task's on_shrink to ignore until the " +
      "median has adapted.",
  },
  notification: {
    event: "backup.shrunken",
    title: ({ task }) => `A backup of ${task} shrank to less than half`,
    next: ({ server, clear }) =>
      `Check that nothing is missing from the data on ${server}. ` +
      `Older backups are kept from rotation. If the change is right, clear the backup with ${clear}, and set the task's ` +
      "on_shrink to ignore until the median has adapted.",
  },
};
