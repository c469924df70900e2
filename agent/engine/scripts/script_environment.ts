/** Builds the environment variables of scripts. docs/guide/scripts.md lists them. */
import type { BackupJob, JobSource } from "../../../src/protocol/job.ts";
import { shownState } from "../../../src/domain/run.ts";
import type { Verdict } from "../../../src/protocol/wire_messages.ts";
import type { PlannedScript } from "./script_plan.ts";

type Variables = Record<string, string>;

/** Variable whose value identifies the processes that a script has started. */
export const INVOCATION = "REARGUARD_INVOCATION_ID";

/** Returns the variables that are known before the backup. They contain no secrets. */
export function runVariables({ task, source, object }: BackupJob, runId: number): Variables {
  return {
    REARGUARD_TASK_ID: String(task.id),
    REARGUARD_TASK_LABEL: task.label,
    REARGUARD_RUN_ID: String(runId),
    REARGUARD_TIMESTAMP: object.stamp,
    REARGUARD_SOURCE_TYPE: source.type,
    ...sourceVariables(source),
  };
}

function sourceVariables(source: JobSource): Variables {
  if ("path" in source) return { REARGUARD_SOURCE_PATH: source.path };
  return "names" in source ? { REARGUARD_DATABASE_NAME: source.names.join(",") } : {};
}

export function scriptVariables({ id, label, type }: PlannedScript, invocation: string): Variables {
  return {
    REARGUARD_SCRIPT_ID: String(id),
    REARGUARD_SCRIPT_LABEL: label,
    REARGUARD_SCRIPT_TYPE: type,
    [INVOCATION]: invocation,
  };
}

/** Returns the variables that are known after the backup. */
export function outcomeVariables(verdict: Verdict): Variables {
  const backup = "backup" in verdict ? verdict.backup : undefined;
  return {
    REARGUARD_OUTCOME: shownState(verdict.outcome),
    REARGUARD_WARNINGS_COUNT: String(verdict.warnings_count),
    ...verdict.outcome === "succeeded" ? {} : { REARGUARD_REASON: verdict.reason },
    ...backup === undefined ? {} : {
      REARGUARD_SIZE: String(backup.size),
      REARGUARD_BYTES_READ: String(backup.bytes_read),
      REARGUARD_DURATION_SECONDS: String(Math.round(backup.duration_ms / 1000)),
      REARGUARD_FILE_NAME: (backup.objects.find(({ role }) => role === "archive") ?? backup.objects[0]!).name,
    },
  };
}
