/** Completes the findings in an agent's report: applies the guards that the agent does not support. */
import { type Finding, findingsOfReport, judgeBackup } from "../../domain/guards/finding.ts";
import { FORMER_NAMES } from "../../domain/guards/former_names.ts";
import { DEFAULT_ACTIONS, GUARD_NAMES } from "../../domain/guards/registry.ts";
import type { StoredBackup } from "../../protocol/job.ts";
import type { Verdict } from "../../protocol/wire_messages.ts";
import { guardHistory } from "../../store/backups/backup_history.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import { findBackupTask } from "../../store/tasks/backup_tasks.ts";

/**
 * Checks a stored backup with the guards that the agent did not apply. Normally returns the agent's verdict
 * and the findings of all guards. If a guard that is applied here fails the run, returns no findings and
 * another verdict: a failure, with the backup's objects as leftovers.
 */
export async function judgeVerdict(
  sql: Sql,
  run: RunRow,
  verdict: Verdict,
): Promise<{ verdict: Verdict; findings: Finding[] }> {
  const backup = storedBackupOf(verdict);
  if (backup === null) return { verdict, findings: [] };
  const findings = backup.findings ?? findingsOfReport(backup);
  const unchecked = uncheckedGuards(backup);
  const task = unchecked.length === 0 ? undefined : await findBackupTask(sql, run.backup_task_id ?? 0);
  if (task === undefined) return { verdict, findings };
  const actions = { ...DEFAULT_ACTIONS, ...task.guards };
  const judgement = judgeBackup(
    Object.fromEntries(unchecked.map((name) => [name, actions[name]])),
    { ...backup, incompressible_share: backup.incompressible_share ?? null },
    await guardHistory(sql, task.id),
  );
  if (judgement.failure === null) return { verdict, findings: [...findings, ...judgement.findings] };
  return {
    verdict: {
      outcome: "failed",
      warnings_count: verdict.warnings_count,
      reason: judgement.failure,
      leftovers: backup.objects.map(({ name }) => name),
    },
    findings: [],
  };
}

/**
 * Returns the backup that a verdict reports as stored. Returns null if there is none. A failed run can have a
 * stored backup: a script that fails after the backup makes the run fail, but the backup remains.
 */
export function storedBackupOf(verdict: Verdict): StoredBackup | null {
  return "backup" in verdict && verdict.backup !== undefined ? verdict.backup : null;
}

/** Returns the guards that the agent did not apply, because it is older than these guards. */
function uncheckedGuards(backup: StoredBackup) {
  const checked = new Set<string>(backup.guards_checked ?? formerlyChecked(backup));
  return GUARD_NAMES.filter((name) => !checked.has(name));
}

/**
 * Returns the names of the guards that an agent applied. For agents whose report does not list them: such an
 * agent is old and knows at most the two guards in {@link FORMER_NAMES}. It applied both if its report
 * contains a result of at least one of them. Otherwise it applied none.
 */
function formerlyChecked(backup: StoredBackup): string[] {
  const knew = FORMER_NAMES.some(({ report }) => backup[report] !== undefined);
  return knew ? FORMER_NAMES.map(({ name }) => name) : [];
}
