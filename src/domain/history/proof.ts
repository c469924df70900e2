/** Decides whether a task's backups are proven: whether a drill succeeded recently enough. */

/** Whether a task's backups are proven, the worst first. */
export const PROOF_STATUSES = [
  "damaged",
  "never_proven",
  "overdue",
  "no_backup",
  "not_drilled",
  "proven",
] as const;
export type ProofStatus = typeof PROOF_STATUSES[number];

/** The facts about the drills of a task. */
export interface DrilledTask {
  readonly paused_at: Date | null;
  /** Days after which the newest backup is drilled; 0 for never. */
  readonly drill_every: number;
  readonly last_proven_at: Date | null;
  readonly damaged_count: number;
  readonly newest_backup_id: number | null;
  /** Why no drill of the newest backup is possible; null if one is. */
  readonly drill_refusal: string | null;
}

const DAY = 86_400_000;

/** Extra time, in milliseconds: a due drill waits for its turn, and a failed one is repeated after a day. */
const GRACE = DAY;

/** Returns the status of a task, and why nothing drills its backups; null if drills are scheduled. */
export function proofOf(task: DrilledTask, now: Date): { status: ProofStatus; note: string | null } {
  const note = noteOf(task);
  return { status: statusOf(task, note, now), note };
}

function statusOf(task: DrilledTask, note: string | null, now: Date): ProofStatus {
  if (task.damaged_count > 0) return "damaged";
  const { drill_every, last_proven_at: proven } = task;
  const isRecent = proven !== null && drill_every > 0 &&
    now.getTime() - proven.getTime() <= drill_every * DAY + GRACE;
  if (isRecent) return "proven";
  if (task.newest_backup_id === null) return "no_backup";
  if (note !== null) return "not_drilled";
  return proven === null ? "never_proven" : "overdue";
}

function noteOf({ drill_every, drill_refusal, paused_at }: DrilledTask): string | null {
  if (drill_refusal !== null) return drill_refusal;
  if (paused_at !== null) return "The task is paused, so no drill of its backups starts by itself.";
  if (drill_every === 0) return "No drills are scheduled for this task.";
  return null;
}
