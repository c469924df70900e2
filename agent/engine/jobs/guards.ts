/** Compares the stored parts with the task's earlier backups before the run succeeds. */
import { judgeBackup } from "../../../src/domain/guards/finding.ts";
import type { BackupStats } from "../../../src/domain/guards/guard.ts";
import { jobActions, reportedFindings } from "../../../src/protocol/guards.ts";
import type { StoredPart } from "../manifest/stored_part.ts";
import { RunFailedError } from "../ports.ts";
import type { RunContext } from "../run_context.ts";
import { isCompressed } from "../transforms/compress.ts";

/**
 * Rejects a backup with an empty archive, whatever the task's settings are, because nothing can be restored
 * from it.
 */
export function refuseEmpty({ part, archive, bytesRead }: StoredPart): void {
  if (bytesRead > 0 && archive.size > 0) return;
  throw new RunFailedError(
    `Cannot trust the archive of ${part.label}: it is empty (${bytesRead} bytes read, ${archive.size} stored). ` +
      "Check the source.",
  );
}

/** The findings of the guards, as the agent reports them to the control plane. */
export type ReportedFindings = ReturnType<typeof reportedFindings>;

/**
 * Runs the guards on the backup's stats and writes their findings to the run's output. Returns the findings.
 *
 * Throws a `RunFailedError` if the task is set to fail on one of the findings.
 */
export function detectAnomalies(
  { job: { guards }, ports: { output }, options }: RunContext,
  stats: BackupStats,
): ReportedFindings {
  if (guards === undefined) return reportedFindings([], []);
  const history = { usual: guards.usual, runs: guards.runs ?? null };
  // Ignore the ransomware guard for a backup without compression (level 0), because all of its data looks
  // incompressible. The guard would compare it with earlier backups. These might be compressed, because older
  // agents did not know level 0.
  const actions = isCompressed(options)
    ? jobActions(guards)
    : { ...jobActions(guards), incompressible: "ignore" as const };
  const judgement = judgeBackup(actions, stats, history);
  for (const line of judgement.notCompared) output.line(line);
  for (const warning of judgement.warnings) output.warning(warning);
  if (judgement.failure !== null) throw new RunFailedError(judgement.failure);
  return reportedFindings(judgement.findings, judgement.checked);
}
