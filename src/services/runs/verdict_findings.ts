/** The findings of guards in an agent's report, completed by those of guards that the agent does not know. */
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
 * Returns the findings about a stored backup, and the verdict: a failure if a guard that the agent did not
 * apply fails the run. The backup's objects are leftovers then.
 */
export async function judgeVerdict(
  sql: Sql,
  run: RunRow,
  verdict: Verdict,
): Promise<{ verdict: Verdict; findings: Finding[] }> {
  if (verdict.outcome !== "succeeded" || !("backup" in verdict)) return { verdict, findings: [] };
  const { backup } = verdict;
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

/** Returns the guards that the agent did not apply because it is older than they are. */
function uncheckedGuards(backup: StoredBackup) {
  const checked = new Set<string>(backup.guards_checked ?? formerlyChecked(backup));
  return GUARD_NAMES.filter((name) => !checked.has(name));
}

/** Agents that reported about the first guards always applied both of them. */
function formerlyChecked(backup: StoredBackup): string[] {
  const knew = FORMER_NAMES.some(({ report }) => backup[report] !== undefined);
  return knew ? FORMER_NAMES.map(({ name }) => name) : [];
}
