/** Shows when backups of tasks were verified or restored by drills, and what these runs proved. */
import {
  type CheckRow,
  lastChecksOf,
  lastChecksOfWorkspace,
  listProvenTasks,
  type ProvenTask,
} from "../../store/history/proofs.ts";
import { isRestorable } from "../../definitions/sources/definition.ts";
import { definitionOfEngine } from "../../definitions/sources/registry.ts";
import { proofOf, type ProofStatus } from "../../domain/history/proof.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { type Evidence, evidenceOf } from "../runs/evidence.ts";

/**
 * Outcomes of verifications and drills. `proven` is a drill that succeeded, `verified` a verification that
 * succeeded. `damaged` means that the run found damage in the backup.
 */
export const CHECK_OUTCOMES = ["proven", "verified", "damaged", "failed", "cancelled"] as const;

export interface Check extends Omit<CheckRow, "state" | "verdict"> {
  readonly outcome: typeof CHECK_OUTCOMES[number];
  /** Null unless the outcome is `proven` or `verified`. */
  readonly evidence: Evidence | null;
}

export interface TaskProofs extends ProvenTask {
  readonly status: ProofStatus;
  /** Why no drill starts by itself; null if drills are scheduled. */
  readonly note: string | null;
  /** Whether there is a newest backup that a drill can restore. */
  readonly is_drillable: boolean;
  /** The oldest first. */
  readonly checks: readonly Check[];
}

/**
 * Returns the proofs of tasks. If `ids` is given, returns the proofs of these tasks. Each then has the last
 * checks of its task, at most `limit`. If `ids` is not given, returns the proofs of all tasks of the
 * workspace. Each then has the last check of each kind, and `limit` has no effect.
 */
export async function showProofs(
  { database, clock }: ServiceContext,
  { workspaceId }: Caller,
  { ids, limit }: { ids?: readonly number[] | undefined; limit: number },
): Promise<TaskProofs[]> {
  const tasks = await listProvenTasks(database, workspaceId, ids);
  const rows = ids === undefined
    ? await lastChecksOfWorkspace(database, workspaceId)
    : await lastChecksOf(database, tasks.map(({ id }) => id), limit);
  const byTask = Map.groupBy(rows, ({ backup_task_id }) => backup_task_id);
  const now = clock.now();
  return tasks.map((task) => {
    const newest = newestOf(task.newest);
    return {
      ...task,
      ...proofOf({ ...task, ...newest }, now),
      is_drillable: newest.newest_backup_id !== null && newest.drill_refusal === null,
      checks: (byTask.get(task.id) ?? []).map(checkOf),
    };
  });
}

function newestOf(newest: ProvenTask["newest"]) {
  if (newest === null) return { newest_backup_id: null, drill_refusal: null };
  const { restore } = definitionOfEngine(newest.engine);
  const drill_refusal = newest.encryption === "recipients"
    ? "The newest backup is encrypted to recipients: the control plane cannot decrypt it to restore it on trial."
    : isRestorable(restore)
    ? null
    : restore.drillRefusal;
  return { newest_backup_id: newest.id, drill_refusal };
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
