/** Reads whether tasks are proven, and says it in words. */
import type { Answer } from "../../../client/client.ts";
import { PROOF_STATUSES, type ProofStatus } from "../../../domain/history/proof.ts";
import type { IconName } from "../../components/icon.tsx";
import { count, counted } from "../../components/number.tsx";
import type { Tone } from "../../components/status.tsx";
import { duration } from "../../../domain/durations.ts";

export type TaskProofs = Answer<"/api/history/proofs">["data"][number];
export type Check = TaskProofs["checks"][number];
type Evidence = NonNullable<Check["evidence"]>;

interface Look {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: Tone;
}

export const PROOF_LOOKS: Readonly<Record<ProofStatus, Look>> = {
  damaged: { word: "Damaged", icon: "bad", tone: "bad" },
  never_proven: { word: "Never proven", icon: "none", tone: "bad" },
  overdue: { word: "Overdue", icon: "late", tone: "warn" },
  no_backup: { word: "No backup", icon: "none", tone: "quiet" },
  not_drilled: { word: "Not drilled", icon: "paused", tone: "quiet" },
  proven: { word: "Proven", icon: "verification", tone: "good" },
};

export const CHECK_LOOKS: Readonly<Record<Check["outcome"], Look>> = {
  proven: { word: "Proven restorable", icon: "verification", tone: "good" },
  verified: { word: "Verified", icon: "good", tone: "good" },
  damaged: { word: "Damaged", icon: "bad", tone: "bad" },
  failed: { word: "Not possible", icon: "warn", tone: "warn" },
  cancelled: { word: "Cancelled", icon: "cancelled", tone: "quiet" },
};

/** Returns the last check of a kind; undefined if there was none. */
export function lastOf(task: TaskProofs, kind: Check["kind"]): Check | undefined {
  return task.checks.findLast((check) => check.kind === kind);
}

/** Returns why a task needs attention, or why nothing drills it; null if there is nothing to say. */
export function reasonOf(task: TaskProofs): string | null {
  const failed = task.checks.findLast(({ kind }) => kind === "drill") ?? task.checks.at(-1);
  const isBad = failed?.outcome === "failed" || failed?.outcome === "damaged";
  if (task.status === "damaged") {
    const one = task.checks.findLast(({ outcome }) => outcome === "damaged");
    return one?.reason ?? `${counted(task.damaged_backups_count, "backup")} of it cannot be read.`;
  }
  if (isBad) return failed.reason;
  if (task.status === "proven") return null;
  if (task.status === "no_backup") return "There is no backup yet that could be drilled.";
  return task.note;
}

/** Returns the number of tasks with each status. */
export function countStatuses(tasks: readonly TaskProofs[]): Record<ProofStatus, number> {
  const counts = Object.fromEntries(PROOF_STATUSES.map((status) => [status, 0])) as Record<
    ProofStatus,
    number
  >;
  for (const { status } of tasks) counts[status]++;
  return counts;
}

/** The parts of the verdict about tasks that are not proven. */
const OTHERS: readonly (readonly [ProofStatus, string, string])[] = [
  ["damaged", "has a damaged backup", "have a damaged backup"],
  ["never_proven", "was never proven", "were never proven"],
  ["overdue", "is overdue", "are overdue"],
];

/** Says in a sentence how many of the tasks with drills are proven. */
export function verdictOf(tasks: readonly TaskProofs[]): string {
  const counts = countStatuses(tasks);
  const drilled = tasks.length - counts.not_drilled - counts.no_backup;
  if (drilled === 0) return "No backup is proven restorable yet.";
  const others = OTHERS.flatMap(([status, one, many]) =>
    counts[status] === 0 ? [] : [`${count(counts[status])} ${counts[status] === 1 ? one : many}`]
  );
  if (others.length === 0) {
    return drilled === 1
      ? "The only task with drills is proven restorable."
      : `All ${count(drilled)} tasks with drills are proven restorable.`;
  }
  const proven = `${count(counts.proven)} of ${counted(drilled, "task")}`;
  return `${proven} ${counts.proven === 1 ? "is" : "are"} proven restorable: ${others.join(", ")}.`;
}

/** Says in one line what a check compared. */
export function evidenceWords({ databases, files_count, objects_count }: Evidence): string {
  const tables = (databases ?? []).reduce((sum, each) => sum + each.tables_count, 0);
  const rows = (databases ?? []).reduce((sum, each) => sum + (each.rows_count ?? 0), 0);
  const parts = [
    ...databases === null ? [] : [counted(tables, "table"), ...rows > 0 ? [counted(rows, "row")] : []],
    ...files_count === null ? [] : [counted(files_count, "file")],
    ...objects_count === null ? [] : [`SHA-256 of ${counted(objects_count, "object")}`],
  ];
  return parts.join(", ");
}

/** Says how long a restore took, such as `5 s` or `12 min`. */
export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms);
}
