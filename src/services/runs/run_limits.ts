/** Finds the stall limits of a run. If the run's task sets none, the control plane's defaults apply. */
import { RESTORE_PATIENCE } from "../../domain/run.ts";
import type { JobWatch } from "../../protocol/job.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findTaskWatch } from "../../store/runs/run_watch.ts";
import type { RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";

/**
 * Returns the run's two stall limits: after how many milliseconds without progress the run is reported, and
 * after how many the agent ends the run.
 */
export async function watchOf(
  services: Pick<ServiceContext, "runTimes">,
  sql: Sql,
  run: Pick<RunRow, "backup_task_id" | "kind">,
): Promise<JobWatch> {
  const task = run.backup_task_id === null ? undefined : await findTaskWatch(sql, run.backup_task_id);
  const { stallTimeout, stallWarning } = services.runTimes;
  const patience = run.kind === "restore" ? RESTORE_PATIENCE : 1;
  const ms = (seconds: number | null | undefined, otherwise: number) => (seconds ?? otherwise / 1000) * 1000;
  return {
    stall_warning_ms: ms(task?.stall_warning, stallWarning),
    stall_timeout_ms: ms(task?.stall_timeout, stallTimeout * patience),
  };
}
