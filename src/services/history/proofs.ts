/** Shows when the backups of tasks were verified and restored, and what that proved. */
import {
  type CheckRow,
  lastChecksOf,
  lastChecksOfWorkspace,
  listProvenTasks,
  type ProvenTask,
} from "../../store/history/proofs.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { type Evidence, evidenceOf } from "../runs/evidence.ts";

/** Results of a verification or drill. `damaged`: the backup is damaged. */
export const CHECK_OUTCOMES = ["proven", "verified", "damaged", "failed", "cancelled"] as const;

export interface Check extends Omit<CheckRow, "state" | "verdict"> {
  readonly outcome: typeof CHECK_OUTCOMES[number];
  /** Null unless the outcome is `proven` or `verified`. */
  readonly evidence: Evidence | null;
}

export interface TaskProofs extends ProvenTask {
  /** The oldest first. */
  readonly checks: readonly Check[];
}

/**
 * Returns the proofs of one task with its last checks, at most `limit`, or the proofs of every task of the
 * workspace with the last check of each kind.
 */
export async function showProofs(
  { database }: ServiceContext,
  { workspaceId }: Caller,
  { backup_task_id: taskId, limit }: { backup_task_id?: number | undefined; limit: number },
): Promise<TaskProofs[]> {
  const tasks = await listProvenTasks(database, workspaceId, taskId);
  const rows = taskId === undefined
    ? await lastChecksOfWorkspace(database, workspaceId)
    : tasks.length === 0
    ? []
    : await lastChecksOf(database, taskId, limit);
  const byTask = Map.groupBy(rows, ({ backup_task_id }) => backup_task_id);
  return tasks.map((task) => ({ ...task, checks: (byTask.get(task.id) ?? []).map(checkOf) }));
}

function checkOf({ state, verdict, ...row }: CheckRow): Check {
  const evidence = state === "succeeded" ? evidenceOf(verdict) : null;
  return { ...row, outcome: outcomeOf(row.kind, state, verdict), evidence };
}

function outcomeOf(kind: CheckRow["kind"], state: CheckRow["state"], verdict: unknown): Check["outcome"] {
  if (state === "succeeded") return kind === "drill" ? "proven" : "verified";
  if (state === "cancelled") return "cancelled";
  const damage = (verdict as { damage?: unknown } | null)?.damage;
  return typeof damage === "string" ? "damaged" : "failed";
}
