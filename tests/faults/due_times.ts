/**
 * Checks that the scheduler handled every due time: those of the tasks' schedules, and those that the plan
 * set.
 */
import type { Plan } from "./plan.ts";
import type { Stage, StagedTask } from "./stage.ts";

const MINUTE = 60_000;

interface Handled {
  readonly by: "run" | "skip";
  readonly id: number;
  readonly due: Date;
  /**
   * When the run was created, or when the skipped due time was recorded. Control planes set this time by
   * their own clocks.
   */
  readonly at: Date;
}

export async function dueTimesHandled(stage: Stage): Promise<string[]> {
  const { tasks, world } = stage;
  const problems: string[] = [];
  for (const [index, task] of tasks.entries()) {
    const found = await world.sql((sql) =>
      sql.begin("isolation level repeatable read", async (sql) => {
        const [now] = await sql<{ now: Date; next: Date | null }[]>`
          select now() as now, next_run_at as next from backup_tasks where id = ${task.id}`;
        const handled = await sql<Handled[]>`
          select 'run' as by, id, scheduled_for as due, created_at as at from runs
          where backup_task_id = ${task.id} and trigger = 'schedule'
          union all
          select 'skip', 0, due_at, created_at from skipped_schedules where backup_task_id = ${task.id}
          order by due`;
        return { ...now!, handled: [...handled] };
      })
    );
    problems.push(...judge(index, task, stage, found));
  }
  return problems;
}

function judge(
  index: number,
  task: StagedTask,
  { plan }: Stage,
  { handled, next, now }: { now: Date; next: Date | null; handled: readonly Handled[] },
): string[] {
  const isScheduled = plan.runs.some((run) => run.task === index && run.by === "schedule");
  const problems: string[] = [];
  const name = `task ${index}`;
  if (isScheduled && next !== null && next <= now) {
    problems.push(`${name} is due since ${next.toISOString()}, and nothing came of it`);
  }
  // A control plane whose clock was ahead might have handled due times that are still in the future.
  const isHandled = (due: Date) => handled.some((one) => one.due.getTime() === due.getTime());
  if (isScheduled && (next === null || !minutes(now, new Date(next.getTime() - 1)).every(isHandled))) {
    problems.push(`${name} is due each minute, and planned for ${next?.toISOString()} only`);
  }
  const expected = [...task.broughtForward, ...isScheduled ? minutes(task.createdAt, now) : []];
  for (const due of expected) {
    const own = handled.filter((one) => one.due.getTime() === due.getTime());
    const folding = handled.filter((one) => one.due < due && one.at >= due);
    if (own.length + folding.length === 0) {
      problems.push(`${name}: due at ${due.toISOString()}, but neither fired, folded nor skipped`);
    }
  }
  for (const [at, { by, due }] of handled.entries()) {
    const isMinute = due.getTime() % MINUTE === 0 && due.getTime() > task.createdAt.getTime() - setBack(plan);
    const isExpected = isMinute ||
      [...expected, ...task.perhapsForward].some((one) => one.getTime() === due.getTime());
    if (!isExpected) problems.push(`${name}: a ${by} for ${due.toISOString()}, which was never due`);
    const again = handled.slice(at + 1).find((other) => other.due.getTime() === due.getTime());
    if (again !== undefined) {
      problems.push(
        `${name}: due at ${due.toISOString()}, handled by a ${by} at ${
          handled[at]!.at.toISOString()
        } and by a ` +
          `${again.by} at ${again.at.toISOString()}`,
      );
    }
  }
  return problems;
}

/**
 * Returns by how many milliseconds the plan sets the database's clock back. The clock might then show a time
 * before a task's creation. So a task's due time is allowed to be before the task's creation, by at most this
 * many milliseconds.
 */
function setBack({ controlPlanes, faults }: Plan): number {
  if (controlPlanes > 1) return 0;
  const jumps = faults.map(({ action }) => action.type === "jump the clock" ? action.seconds : 0);
  return -1000 * Math.min(0, ...jumps);
}

/** Returns each full minute after `from`, up to and including `to`. */
function minutes(from: Date, to: Date): Date[] {
  const found: Date[] = [];
  for (let at = Math.floor(from.getTime() / MINUTE) * MINUTE + MINUTE; at <= to.getTime(); at += MINUTE) {
    found.push(new Date(at));
  }
  return found;
}
