/** New runs, told to whoever hands them out and whoever watches. */
import type { Sql } from "../store/database.ts";
import { notifyAll } from "../store/notifications.ts";
import type { RunRow } from "../store/runs.ts";
import { startSpan, traceparentOf } from "../telemetry/tracing.ts";
import { tellLog } from "./run_state.ts";

export type QueuedRun = Pick<RunRow, "id" | "kind" | "backup_task_id" | "remote_server_id">;

/** A run's trace begins here, or with the request that asked for it. */
export async function announceQueued(sql: Sql, runs: readonly QueuedRun[]): Promise<void> {
  await notifyAll(
    sql,
    runs.flatMap((run) => [
      { topic: "run_changed", run_id: run.id },
      {
        topic: "run_queued",
        run_id: run.id,
        remote_server_id: run.remote_server_id!,
        traceparent: traceOf(run),
      },
    ]),
  );
  for (const run of runs) tellLog(sql, { ...run, state: "queued", attempt: 0, reason: null });
}

function traceOf(run: QueuedRun): string | undefined {
  const span = startSpan("queue run", {
    "rearguard.run.id": run.id,
    "rearguard.run.kind": run.kind,
    ...(run.backup_task_id === null ? {} : { "rearguard.task.id": run.backup_task_id }),
  });
  span.end();
  return traceparentOf(span);
}
