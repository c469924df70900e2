/** Queues one run for each due time of a task, even if several control planes are running. */
import { ownerOf } from "../../domain/access/owner.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import { shownState } from "../../domain/run.ts";
import { planRun, type Schedule } from "../../domain/schedules/schedule.ts";
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
import { openSubjects, runsOfSleepingServers } from "../../store/runs/run_watch.ts";
import { lockActiveBackupRuns, lockRuns } from "../../store/runs/runs.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";
import type { ServiceContext } from "../context.ts";
import { notificationOf } from "../runs/run_notifications.ts";
import { queueBackupRuns } from "../runs/runs.ts";

const BATCH = 500;
/**
 * Each due time is stored with the time at which a control plane planned it. If the time of planning is more
 * than this many milliseconds in the future, the clock of that control plane was ahead.
 */
const STEP = 1_000;
/**
 * Due times before a task's last change are not fired. The time of the change might come from a wrong clock.
 * It is ignored if it is more than this many milliseconds in the future.
 */
const SHORTLY = 10_000;
/**
 * A control plane with a fast clock might fire a due time too early. If it was too early by at most this many
 * milliseconds, the due time is not fired again.
 */
const EARLY = 5 * 60_000;

/**
 * Queues a run for each task that is due. If a task has an active run, queues no run and records the due time
 * as skipped. If several due times of a task were missed in a downtime, queues one run for all of them.
 * Returns the number of due tasks. Call this again until it returns 0.
 */
export async function fireDueTasks(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const due = await lockDueTasks(sql, now, BATCH);
    if (due.length === 0) return 0;
    const active = await lockActiveBackupRuns(sql, due.map(({ id }) => id));
    const free = due.filter(({ id }) => !active.has(id));
    const busy = due.filter(({ id }) => active.has(id));
    const runs = free.map((task) => ({ task, trigger: "schedule", scheduledFor: task.next_run_at } as const));
    await queueBackupRuns(services, sql, runs);
    await recordSkipped(
      sql,
      busy.map(({ id, next_run_at }) => ({ taskId: id, dueAt: next_run_at!, activeRunId: active.get(id)! })),
      now,
    );
    await reportSkipped(services, sql, busy, active);
    const plan = plansAfter(now);
    await reportBrokenSchedules(services, sql, due, plan);
    await setNextRuns(sql, due.map((task) => ({ id: task.id, next: plan(task).next })), now);
    return due.length;
  });
}

/**
 * Reports tasks that were due but not started, because an earlier run is still active. Reports nothing at a
 * task's first skipped due time, only from the second on. Does not report a task whose active run waits for a
 * server that is asleep.
 */
async function reportSkipped(
  services: ServiceContext,
  sql: Sql,
  tasks: readonly BackupTaskRow[],
  active: ReadonlyMap<number, number>,
): Promise<void> {
  if (tasks.length === 0) return;
  const runs = new Map((await lockRuns(sql, [...active.values()])).map((run) => [run.id, run]));
  const waiting = await runsOfSleepingServers(sql, [...runs.keys()]);
  for (const task of tasks) {
    const run = runs.get(active.get(task.id)!)!;
    if (waiting.has(run.id)) continue;
    const since = run.started_at ?? run.created_at;
    const reason = `Due at ${isoSeconds(task.next_run_at!)}: run ${run.id} is ${
      shownState(run.state)
    } since ${isoSeconds(since)}.`;
    const news = notificationOf(run, "backup.skipped", { wasLost: false, reason });
    const subject = `task ${task.id}`;
    await raiseAlert(services, sql, { kind: "backup.skipping", subject, reportFrom: 2 }, news);
  }
}

type Plan = (schedule: Schedule) => ReturnType<typeof planRun>;

/**
 * Reports tasks whose schedule this control plane cannot parse. Such a schedule does not change the due times
 * of other tasks.
 */
async function reportBrokenSchedules(
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
      ...ownerOf(task),
      taskId: task.id,
      serverId: task.remote_server_id,
      key: `task ${task.id} schedule.broken`,
      run: null,
      backupId: null,
      reason: problem,
    });
  }
}

/**
 * Returns a function that computes the next due time of a schedule. For equal schedules, the function
 * computes the due time only once, because many tasks have the same schedule, such as midnight.
 */
function plansAfter(now: Date): Plan {
  const known = new Map<string, ReturnType<typeof planRun>>();
  return (schedule) => {
    const { frequency, time_to_run_at, weekday, custom_cron_expression, timezone } = schedule;
    const key = JSON.stringify([frequency, time_to_run_at, weekday, custom_cron_expression, timezone]);
    if (!known.has(key)) known.set(key, planRun(schedule, now));
    return known.get(key)!;
  };
}

/** Returns the earliest due time among all tasks; null if no task has a due time. */
export function nextDueTime(services: ServiceContext): Promise<Date | null> {
  return soonestDueTime(services.database);
}

/**
 * Corrects due times that a control plane planned while its clock was ahead. Without the correction, the
 * tasks would wait too long. If a due time was fired much too early, it is fired again. Returns the number of
 * changed due times.
 */
export async function replanSchedules(services: ServiceContext): Promise<number> {
  let count = 0;
  for (let left = true; left;) {
    await transaction(services.database, async (sql) => {
      const now = services.clock.now();
      const tasks = await lockTasksPlannedAhead(sql, later(now, STEP), BATCH);
      if (tasks.length === 0) return left = false;
      // Read the fired due times after locking the tasks: from then on, no other replica can fire them.
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
