/** Due times made into runs: each once, however many control planes look. */
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { shownState } from "../../domain/run.ts";
import { planRun, type Schedule } from "../../domain/schedule.ts";
import type { BackupTaskRow } from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  lastDueTimes,
  lockDueTasks,
  lockTasksPlannedAhead,
  recordSkipped,
  setNextRuns,
  soonestDueTime,
} from "../../store/tasks/due_tasks.ts";
import { openSubjects } from "../../store/runs/run_watch.ts";
import { lockActiveBackupRuns, lockRuns } from "../../store/runs/runs.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";
import type { ServiceContext } from "../context.ts";
import { notificationOf } from "../runs/run_notifications.ts";
import { queueBackupRuns } from "../runs/runs.ts";

const BATCH = 500;
/** A clock that is kept right step by step goes back by less. Milliseconds. */
const STEP = 1_000;
/**
 * How long before a task's change a due time may lie and not be due by it, after a small step. Milliseconds.
 */
const SHORTLY = 10_000;
/** A backup that was made for a due time by at most this much too early counts for it. Milliseconds. */
const EARLY = 5 * 60_000;

/**
 * Queues a run for each task that is due, or records the due time as skipped while the task's run is active.
 * Due times missed in a downtime are one catch-up run. Returns how many tasks were due; call again until it
 * is 0.
 */
export async function fireDueTasks(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const due = await lockDueTasks(sql, now, BATCH);
    if (due.length === 0) return 0;
    const active = await lockActiveBackupRuns(sql, due.map(({ id }) => id));
    const free = due.filter(({ id }) => !active.has(id));
    const busy = due.filter(({ id }) => active.has(id));
    await queueBackupRuns(services, sql, free.map((task) => ({ task, scheduledFor: task.next_run_at })));
    await recordSkipped(
      sql,
      busy.map(({ id, next_run_at }) => ({ taskId: id, dueAt: next_run_at!, activeRunId: active.get(id)! })),
      now,
    );
    await tellOfSkipped(services, sql, busy, active);
    const plan = plansAfter(now);
    await tellOfBrokenSchedules(services, sql, due, plan);
    await setNextRuns(sql, due.map((task) => ({ id: task.id, next: plan(task).next })), now);
    return due.length;
  });
}

/** Reports tasks whose due times pass while an earlier run is active, from the second time on. */
async function tellOfSkipped(
  services: ServiceContext,
  sql: Sql,
  tasks: readonly BackupTaskRow[],
  active: ReadonlyMap<number, number>,
): Promise<void> {
  if (tasks.length === 0) return;
  const runs = new Map((await lockRuns(sql, [...active.values()])).map((run) => [run.id, run]));
  for (const task of tasks) {
    const run = runs.get(active.get(task.id)!)!;
    const since = run.started_at ?? run.created_at;
    const reason = `Due at ${isoSeconds(task.next_run_at!)}: run ${run.id} is ${
      shownState(run.state)
    } since ${isoSeconds(since)}.`;
    const news = notificationOf(run, "backup.skipped", { audience: "failure", wasLost: false, reason });
    const subject = `task ${task.id}`;
    await raiseAlert(services, sql, { kind: "backup.skipping", subject, reportFrom: 2 }, news);
  }
}

type Plan = (schedule: Schedule) => ReturnType<typeof planRun>;

/**
 * Reports tasks with a schedule that this control plane cannot parse. They do not affect the due times of
 * others.
 */
async function tellOfBrokenSchedules(
  services: ServiceContext,
  sql: Sql,
  tasks: readonly BackupTaskRow[],
  plan: Plan,
): Promise<void> {
  const known = new Set(await openSubjects(sql, "schedule.broken"));
  for (const task of tasks) {
    const { problem } = plan(task);
    const about = { kind: "schedule.broken", subject: `task ${task.id}` } as const;
    if (problem === null) {
      if (known.has(about.subject)) await endAlert(services, sql, about);
      continue;
    }
    await raiseAlert(services, sql, { ...about, isLevel: true }, {
      name: "schedule.broken",
      userId: task.user_id,
      taskId: task.id,
      serverId: task.remote_server_id,
      audience: "failure",
      key: `task ${task.id} schedule.broken`,
      run: null,
      backupId: null,
      reason: problem,
    });
  }
}

/** Many tasks share a schedule: midnight is popular. */
function plansAfter(now: Date): Plan {
  const known = new Map<string, ReturnType<typeof planRun>>();
  return (schedule) => {
    const { frequency, time_to_run_at, weekday, custom_cron_expression, timezone } = schedule;
    const key = JSON.stringify([frequency, time_to_run_at, weekday, custom_cron_expression, timezone]);
    if (!known.has(key)) known.set(key, planRun(schedule, now));
    return known.get(key)!;
  };
}

/** When the scheduler should look next; null when no task has a due time. */
export function nextDueTime(services: ServiceContext): Promise<Date | null> {
  return soonestDueTime(services.database);
}

/**
 * Plans anew what was planned on a clock that was ahead, by this control plane or another: else a task would
 * wait until the time comes that the clock showed. A due time that was fired on that clock, much too early,
 * is fired again. Returns how many due times it brought back.
 */
export async function replanSchedules(services: ServiceContext): Promise<number> {
  let count = 0;
  for (let left = true; left;) {
    await transaction(services.database, async (sql) => {
      const now = services.clock.now();
      const tasks = await lockTasksPlannedAhead(sql, later(now, STEP), BATCH);
      if (tasks.length === 0) return left = false;
      // Read once they are locked: nobody fires one of them now.
      const until = later(now, EARLY);
      const fired = await lastDueTimes(sql, tasks.map(({ id }) => id), until);
      const planned = tasks.map((task) => {
        const edited = task.updated_at <= later(now, SHORTLY) ? task.updated_at : now;
        const after = Math.max(...[now, edited, fired.get(task.id) ?? now].map((time) => time.getTime()));
        const { next } = planRun(task, new Date(after));
        const isBroughtBack = next !== null && next < task.next_run_at!;
        if (isBroughtBack) count++;
        return { id: task.id, next: isBroughtBack ? next : task.next_run_at };
      });
      await setNextRuns(sql, planned, now);
      left = tasks.length === BATCH;
    });
  }
  return count;
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
