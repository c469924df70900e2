/** Compares the stored parts with the task's earlier backups before the run succeeds. */
import { judgeBackup } from "../../../src/domain/guards/finding.ts";
import type { BackupStats } from "../../../src/domain/guards/guard.ts";
import { jobActions, reportedFindings } from "../../../src/protocol/guards.ts";
import type { StoredPart } from "../manifest/stored_part.ts";
import { RunFailedError } from "../ports.ts";
import type { RunContext } from "../run_context.ts";
import { isCompressed } from "../transforms/compress.ts";

/** Rejects an empty archive regardless of the task's settings, because nothing can be restored from it. */
export function refuseEmpty({ part, archive, bytesRead }: StoredPart): void {
  if (bytesRead > 0 && archive.size > 0) return;
  throw new RunFailedError(
    `Cannot trust the archive of ${part.label}: it is empty (${bytesRead} bytes read, ${archive.size} stored). ` +
      "Check the source.",
  );
}

/** The agent's report about the guards. */
export type ReportedFindings = ReturnType<typeof reportedFindings>;

/**
 * Applies the guards, and writes their findings to the output.
 *
 * Throws a `RunFailedError` for a finding on which the task is set to fail.
 */
export function detectAnomalies(
  { job: { guards }, ports: { output }, options }: RunContext,
  stats: BackupStats,
): ReportedFindings {
  if (guards === undefined) return reportedFindings([], []);
  const history = { usual: guards.usual, runs: guards.runs ?? null };
  // Backups of level 0 can't show ransomware. An agent that did not know the level may have compressed
  // earlier ones.
  const actions = isCompressed(options)
    ? jobActions(guards)
    : { ...jobActions(guards), incompressible: "ignore" as const };
  const judgement = judgeBackup(actions, stats, history);
  for (const line of judgement.notCompared) output.line(line);
  for (const warning of judgement.warnings) output.warning(warning);
  if (judgement.failure !== null) throw new RunFailedError(judgement.failure);
  return reportedFindings(judgement.findings, judgement.checked);
}
