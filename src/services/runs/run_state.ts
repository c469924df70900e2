/** Changes the state of runs. Every change of a run's state is made here. */
import {
  deadlineOf,
  hasEnded,
  type RunState,
  type RunTimes,
  type RunTransitionEvent,
  transition,
} from "../../domain/run.ts";
import { afterCommit } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { logger } from "../../telemetry/logging.ts";
import { type Notification, notifyAll } from "../../store/database/event_bus.ts";
import { moveRun, type RunChange, type RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";
import { reportStep } from "./run_followers.ts";
import { notifyFailure } from "./run_notifications.ts";

/**
 * Whether a run's state was changed. A change is refused for one of two reasons: the run's state does not
 * permit the event, or another transaction has changed the run.
 */
export type Move = { moved: true; run: RunRow } | { moved: false; reason: string };

/**
 * Applies `event` to a run. The caller's transaction must have locked the run's row. Changes the run's state,
 * deadline and end time. Notifies watchers and the streams that follow runs. After a failure, also notifies
 * the run's owner.
 */
export async function applyToRun(
  services: Pick<ServiceContext, "clock" | "runTimes">,
  sql: Sql,
  run: RunRow,
  event: RunTransitionEvent,
  change: RunChange = {},
): Promise<Move> {
  const next = transition(run.state, event);
  if (!next.ok) return { moved: false, reason: next.reason };
  const now = services.clock.now();
  const changes: RunChange = {
    ...change,
    deadline_at: deadlineOf(next.state, now, startDeadline(services, run), runTimesOf(services, run)),
    finished_at: hasEnded(next.state) ? run.finished_at ?? now : null,
  };
  if (next.state === "running") {
    changes.lease_expires_at = new Date(now.getTime() + services.runTimes.lease);
    changes.moved_at = now;
  }
  if (next.state === "succeeded") changes.reason = null;
  if (!(await moveRun(sql, run, next.state, changes))) {
    return { moved: false, reason: `Run ${run.id} was changed by another transaction` };
  }
  await announce(sql, run, next.state);
  const moved = { ...run, ...changes, state: next.state };
  if (next.state !== run.state) logTransition(sql, moved);
  if (hasEnded(next.state)) {
    const damage = event.type === "finished" ? event.damage ?? null : null;
    await notifyFailure(services, sql, moved, { before: run.state, damage });
  }
  await reportStep(services, sql, moved, run.state);
  return { moved: true, run: moved };
}

/** After the commit, logs a line about the state that the run has entered. */
export function logTransition(
  sql: Sql,
  run: Pick<RunRow, "id" | "state" | "kind" | "attempt" | "backup_task_id" | "remote_server_id" | "reason">,
): void {
  const { id: run_id, state, kind, attempt, backup_task_id: task_id, remote_server_id, reason } = run;
  const ofTask = task_id === null ? "" : " of task {task_id}";
  const onServer = remote_server_id === null ? "" : " on server {remote_server_id}";
  afterCommit(sql, () => {
    logger("runs").info(`${NAMES[kind]} {run_id}${ofTask}${onServer} is ${state}`, {
      run_id,
      ...(task_id === null ? {} : { task_id }),
      ...(remote_server_id === null ? {} : { remote_server_id }),
      ...(attempt > 1 ? { attempt } : {}),
      ...(reason === null ? {} : { reason }),
    });
  });
}

const NAMES: Record<RunRow["kind"], string> = {
  backup: "Backup run",
  restore: "Restore run",
  verify: "Verification run",
  drill: "Drill run",
};

/** Returns the time limits of a run. A cancelled run gets more time, because its postscripts still run. */
export function runTimesOf(
  { runTimes }: Pick<ServiceContext, "runTimes">,
  { script_seconds }: Pick<RunRow, "script_seconds">,
): RunTimes {
  return { ...runTimes, cancel: runTimes.cancel + (script_seconds ?? 0) * 1000 };
}

/** Returns the time by which an agent must have accepted a run. */
export function startDeadline(services: Pick<ServiceContext, "runTimes">, run: { created_at: Date }): Date {
  return new Date(run.created_at.getTime() + services.runTimes.start);
}

async function announce(sql: Sql, run: RunRow, state: RunState): Promise<void> {
  const news: Notification[] = [{ topic: "run_changed", run_id: run.id, state }];
  // If the run read a backup, the removal of this backup might have waited for the end of the run.
  if (hasEnded(state) && run.backup_id !== null) news.push({ topic: "removal_due" });
  if (run.remote_server_id !== null) {
    const of = { run_id: run.id, remote_server_id: run.remote_server_id };
    if (state === "cancelling") news.push({ topic: "run_cancelling", ...of });
    // When a run ends, its slot is free. The next queued run of the same server gets it.
    if (state === "queued" || hasEnded(state)) news.push({ topic: "run_queued", ...of });
  }
  await notifyAll(sql, news);
}
