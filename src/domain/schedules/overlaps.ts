/** Finds the times at which several tasks of one server are planned to run. */

/** A planned run. It begins at `at`, and at `until` it has ended. Both are in milliseconds since 1970. */
export interface PlannedRun {
  readonly taskId: number;
  readonly at: number;
  readonly until: number;
}

/** A span of time in which at least two tasks are planned to run. */
export interface Overlap {
  readonly from: number;
  readonly until: number;
  /** The tasks that run in the span, in ascending order of ids. */
  readonly taskIds: readonly number[];
  /** Maximum number of tasks that run at the same moment. */
  readonly mostAtOnce: number;
}

/**
 * Returns the overlaps of different tasks, the earliest first. A task never overlaps itself: a due time is
 * skipped while the task runs.
 */
export function findOverlaps(planned: readonly PlannedRun[]): Overlap[] {
  const runs = withoutSkipped(planned);
  const starts = runs.toSorted((a, b) => a.at - b.at);
  const ends = runs.toSorted((a, b) => a.until - b.until);
  const overlaps: Overlap[] = [];
  const active = new Set<number>();
  let open: { from: number; taskIds: Set<number>; mostAtOnce: number } | null = null;
  let ended = 0;
  for (const run of starts) {
    for (; ended < ends.length && ends[ended]!.until <= run.at; ended++) {
      active.delete(ends[ended]!.taskId);
      if (open !== null && active.size < 2) {
        overlaps.push(closed(open, ends[ended]!.until));
        open = null;
      }
    }
    active.add(run.taskId);
    if (active.size < 2) continue;
    open ??= { from: run.at, taskIds: new Set(), mostAtOnce: 0 };
    for (const id of active) open.taskIds.add(id);
    open.mostAtOnce = Math.max(open.mostAtOnce, active.size);
  }
  for (; open !== null && ended < ends.length; ended++) {
    active.delete(ends[ended]!.taskId);
    if (active.size >= 2) continue;
    overlaps.push(closed(open, ends[ended]!.until));
    open = null;
  }
  return overlaps;
}

function closed(
  { from, taskIds, mostAtOnce }: { from: number; taskIds: Set<number>; mostAtOnce: number },
  until: number,
): Overlap {
  return { from, until, taskIds: [...taskIds].toSorted((a, b) => a - b), mostAtOnce };
}

/** Leaves out the runs of a task that begin before an earlier run of this task has ended. */
function withoutSkipped(planned: readonly PlannedRun[]): PlannedRun[] {
  const busyUntil = new Map<number, number>();
  return planned.toSorted((a, b) => a.at - b.at).filter(({ taskId, at, until }) => {
    if (at < (busyUntil.get(taskId) ?? -Infinity)) return false;
    busyUntil.set(taskId, until);
    return true;
  });
}
