/** Compares the stored parts with the task's earlier backups before the run succeeds. */
import { type BackupStats, hasSharpRise, shrunkStats, type UsualStats } from "../../../src/domain/guards.ts";
import type { JobGuards } from "../../../src/protocol/job.ts";
import type { StoredPart } from "../manifest/stored_part.ts";
import { type Output, RunFailedError } from "../ports.ts";
import { formatBytes } from "./progress.ts";

/** Rejects an empty archive regardless of the task's settings, because nothing can be restored from it. */
export function refuseEmpty({ part, archive, bytesRead }: StoredPart): void {
  if (bytesRead > 0 && archive.size > 0) return;
  throw new RunFailedError(
    `Cannot trust the archive of ${part.label}: it is empty (${bytesRead} bytes read, ${archive.size} stored). ` +
      "Check the source.",
  );
}

/** Detected anomalies. Each is null if nothing is wrong or the task ignores it. */
export interface Anomalies {
  /** The reason to suspect that ransomware encrypted the files. */
  suspicion: string | null;
  /** A description of how the backup shrank. */
  shrinking: string | null;
}

const NO_ANOMALIES: Anomalies = { suspicion: null, shrinking: null };

/**
 * Returns the anomalies and writes them to the output.
 *
 * Throws a `RunFailedError` for an anomaly on which the task is set to fail.
 */
export function detectAnomalies(
  guards: JobGuards | undefined,
  stats: BackupStats,
  output: Output,
): Anomalies {
  if (guards === undefined) return NO_ANOMALIES;
  const { usual, on_shrink, on_incompressible } = guards;
  const watched = [on_shrink, on_incompressible].some((action) => action !== "ignore");
  if (usual === null) {
    if (watched) output.line("Not compared with earlier backups: too few are stored of this source");
    return NO_ANOMALIES;
  }
  const rise = describeRise(stats, usual);
  const shrinking = describeShrinking(stats, usual);
  const findings = [
    {
      action: on_shrink,
      text: shrinking === null ? null : `it ${shrinking}. ${SHRINKING_ADVICE[on_shrink]}`,
    },
    {
      action: on_incompressible,
      text: rise === null ? null : `possible ransomware: ${rise}. ${SUSPICION_ADVICE[on_incompressible]}`,
    },
  ].filter(({ action, text }) => action !== "ignore" && text !== null);
  const failing = findings.find(({ action }) => action === "fail");
  for (const finding of findings) {
    if (finding !== failing) output.warning(`This backup looks wrong: ${finding.text}`);
  }
  if (failing !== undefined) throw new RunFailedError(`Cannot trust this backup: ${failing.text}`);
  return {
    suspicion: rise !== null && on_incompressible !== "ignore" ? `Possible ransomware: ${rise}` : null,
    shrinking: shrinking !== null && on_shrink !== "ignore" ? `It ${shrinking}` : null,
  };
}

const SHRINKING_ADVICE = {
  ignore: "",
  warn:
    "Check that nothing is missing from the source. Older backups are kept from rotation meanwhile; where that is right, " +
    "clear this backup, and set the task's on_shrink to ignore until the median has followed.",
  fail:
    "Check that nothing is missing from the source; where that is right, set the task's on_shrink to ignore until the " +
    "median has followed.",
};

const SUSPICION_ADVICE = {
  ignore: "",
  warn:
    "Look at the files on the server. Older backups are kept from rotation meanwhile; where the rise is right, " +
    "set the task's on_incompressible to ignore until the median has followed.",
  fail:
    "Look at the files on the server. Nothing of this run is kept; where the rise is right, set the task's " +
    "on_incompressible to ignore until the median has followed.",
};

function describeShrinking(now: BackupStats, usual: UsualStats): string | null {
  const shrunk = shrunkStats(now, usual).map((figure) => {
    switch (figure) {
      case "files_count":
        return `${now.files_count} files (median ${Math.round(usual.files_count!)})`;
      case "bytes_read":
        return `${formatBytes(now.bytes_read)} read (median ${formatBytes(Math.round(usual.bytes_read))})`;
      case "size":
        return `${formatBytes(now.size)} stored (median ${formatBytes(Math.round(usual.size))})`;
    }
  });
  if (shrunk.length === 0) return null;
  return `shrank to less than half of the last ${usual.backups_count} backups' median: ${shrunk.join(", ")}`;
}

function describeRise(now: BackupStats, usual: UsualStats): string | null {
  if (!hasSharpRise(now, usual)) return null;
  const signs = [
    `${percent(now.size / now.bytes_read)} of what was read is stored (median ${percent(usual.compression)})`,
    ...now.incompressible_share === null || usual.incompressible_share === null ? [] : [
      `${percent(now.incompressible_share)} of it does not compress at all (median ${
        percent(usual.incompressible_share)
      })`,
    ],
  ];
  return `the data compresses much worse than in the last ${usual.backups_count} backups: ${
    signs.join(", ")
  }`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
