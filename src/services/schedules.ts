/** Due times made into runs: each once, however many control planes look. */
import { nextRun } from "../domain/schedule.ts";
import type { BackupTaskRow } from "../store/backup_tasks.ts";
import { type Sql, transaction } from "../store/database.ts";
import {
  lastDueTimes,
  lockDueTasks,
  lockTasksAhead,
  recordSkipped,
  setNextRun,
  soonestDueTime,
} from "../store/due_tasks.ts";
import { lockActiveBackupRun } from "../store/runs.ts";
import type { Services } from "./context.ts";
import { queueBackupRun } from "./runs.ts";

const BATCH = 100;

/**
 * Queues a run for each task that is due, or records the due time as skipped while the task's run is active. Due times
 * missed in a downtime are one catch-up run. Returns how many tasks were due; call again until it is 0.
 */
export async function fireDueTasks(services: Services): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const due = await lockDueTasks(sql, now, BATCH);
    for (const task of due) await fire(services, sql, task, now);
    return due.length;
  });
}

async function fire(services: Services, sql: Sql, task: BackupTaskRow, now: Date): Promise<void> {
  const dueAt = task.next_run_at!;
  const active = await lockActiveBackupRun(sql, task.id);
  if (active === null) await queueBackupRun(services, sql, task, dueAt);
  else await recordSkipped(sql, task.id, dueAt, active.id, now);
  await setNextRun(sql, task.id, nextRun(task, now));
}

/** When the scheduler should look next; null when no task has a due time. */
export function nextDueTime(services: Services): Promise<Date | null> {
  return soonestDueTime(services.database);
}

/**
 * Brings due times back that were planned on a clock that was ahead: else a task would wait until the time comes that was
 * shown then. What was fired on that clock is not fired again. Returns how many were brought back.
 */
export async function replanSchedules(services: Services): Promise<number> {
  let count = 0;
  for (let lastId = 0, left = true; left;) {
    await transaction(services.database, async (sql) => {
      const now = services.clock.now();
      const tasks = await lockTasksAhead(sql, now, lastId, BATCH);
      // Asked once they are locked: nobody fires one of them now.
      const last = await lastDueTimes(sql, tasks.map(({ id }) => id));
      for (const task of tasks) {
        const fired = last.get(task.id)?.getTime() ?? 0;
        const after = Math.max(now.getTime(), task.updated_at.getTime(), fired);
        const next = nextRun(task, new Date(after));
        if (next === null || next >= task.next_run_at!) continue;
        await setNextRun(sql, task.id, next);
        count++;
      }
      lastId = tasks.at(-1)?.id ?? lastId;
      left = tasks.length === BATCH;
    });
  }
  return count;
}
