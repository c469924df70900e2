/**
 * Detects a run that took far longer than usual. The stored backup itself is not suspicious, so the finding
 * is only a warning.
 */
import { duration } from "../durations.ts";
import type { BackupStats, Guard, UsualRuns } from "./guard.ts";

/** A run took too long if it took at least this many times the median. */
const FACTOR = 3;
/**
 * Minimum duration of a run that counts as too long, in milliseconds. Shorter runs vary strongly in duration,
 * even without a problem.
 */
const MINIMUM_DURATION = 10 * 60_000;
/** Minimum number of earlier runs. With fewer, no run counts as too long. */
const MINIMUM_RUNS = 5;

/** Returns the run's duration as a multiple of the median; null if the run did not take too long. */
function excess({ duration_ms }: BackupStats, runs: UsualRuns): number | null {
  const isLong = duration_ms >= MINIMUM_DURATION && duration_ms >= FACTOR * runs.duration_ms;
  return isLong ? duration_ms / Math.max(1, runs.duration_ms) : null;
}

function describeExcess(backup: BackupStats, runs: UsualRuns): string | null {
  const factor = excess(backup, runs);
  if (factor === null) return null;
  return `it took ${duration(backup.duration_ms)}, ${factor.toFixed(1)} times the median of the last ` +
    `${runs.runs_count} runs (${duration(runs.duration_ms)}). Usually the number or size of the files or ` +
    "tables has grown, or the load of the server, its disks, the network or the destination";
}

const CHANGE = "if that is right, set too_long of the task's guards to ignore until the median has adapted.";

export const tooLong: Guard<never> = {
  summary: `The run took at least ${FACTOR} times the median of the last runs, and ${
    duration(MINIMUM_DURATION)
  }. It requires ${MINIMUM_RUNS} earlier successful runs.`,
  severity: "warning",
  defaultAction: "warn",
  missingHistory: ({ runs }) =>
    (runs?.runs_count ?? 0) < MINIMUM_RUNS
      ? `Not compared with earlier runs: fewer than ${MINIMUM_RUNS} of this source have succeeded`
      : null,
  judge: (backup, { runs }) => runs && describeExcess(backup, runs),
  advice: {
    warn: `Compare the run's stats with those of earlier runs; ${CHANGE}`,
    fail: `Nothing of this run is kept. Compare its stats with those of earlier runs; ${CHANGE}`,
  },
  // Users are notified while the run is still active, with the event `backup.slow`.
  notification: null,
};
