/** A new run, told to whoever hands it out and whoever watches. */
import type { Sql } from "../store/database.ts";
import { notify } from "../store/notifications.ts";
import type { RunRow } from "../store/runs.ts";
import { startSpan, traceparentOf } from "../telemetry/tracing.ts";
import { tellLog } from "./run_state.ts";

/** The run's trace begins here, or with the request that asked for it. */
export async function announceQueued(sql: Sql, run: RunRow): Promise<void> {
  const span = startSpan("queue run", {
    "rearguard.run.id": run.id,
    "rearguard.run.kind": run.kind,
    "rearguard.run.trigger": run.trigger,
    ...(run.backup_task_id === null ? {} : { "rearguard.task.id": run.backup_task_id }),
  });
  await notify(sql, { topic: "run_changed", run_id: run.id });
  await notify(sql, {
    topic: "run_queued",
    run_id: run.id,
    remote_server_id: run.remote_server_id!,
    traceparent: traceparentOf(span),
  });
  span.end();
  tellLog(sql, run);
}
