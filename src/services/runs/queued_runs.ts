/** Announces new runs to dispatchers and watchers. */
import type { Sql } from "../../store/database/sql.ts";
import { type Notification, notifyAll } from "../../store/database/event_bus.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import { startSpan, traceparentOf } from "../../telemetry/tracing.ts";
import { logTransition } from "./run_state.ts";

/**
 * Notifies dispatchers and watchers of new runs. Each run's trace continues the trace of the request that
 * queued the run. If that request is not traced, the run's trace starts here.
 */
export async function announceQueued(sql: Sql, runs: readonly RunRow[]): Promise<void> {
  await notifyAll(sql, runs.flatMap(notificationsFor));
  for (const run of runs) logTransition(sql, run);
}

function notificationsFor(run: RunRow): Notification[] {
  const span = startSpan("queue run", {
    "rearguard.run.id": run.id,
    "rearguard.run.kind": run.kind,
    "rearguard.run.trigger": run.trigger,
    ...(run.backup_task_id === null ? {} : { "rearguard.task.id": run.backup_task_id }),
  });
  const traceparent = traceparentOf(span);
  span.end();
  return [
    { topic: "run_changed", run_id: run.id },
    { topic: "run_queued", run_id: run.id, remote_server_id: run.remote_server_id!, traceparent },
  ];
}
