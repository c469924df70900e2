/** Counts backup runs by day and outcome. */
import { boundariesOf, datesOf, type DayRange } from "../../domain/history/day_range.ts";
import { InvalidError } from "../../domain/errors.ts";
import { countRunsByDay, type RunCounts, type RunHistoryScope } from "../../store/history/run_history.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { completeRange, type RequestedRange } from "./day_range.ts";

export type { RunCounts };

export interface RunDay extends RunCounts {
  readonly date: string;
}

export interface RunDays extends DayRange {
  /** Every day of the range, the oldest first. */
  readonly days: readonly RunDay[];
  readonly totals: RunCounts;
}

interface RunDaysRequest extends RequestedRange {
  readonly backup_task_id?: number | undefined;
  readonly remote_server_id?: number | undefined;
}

const NONE: RunCounts = { succeeded: 0, warnings: 0, failed: 0, cancelled: 0, skipped: 0 };

/**
 * Returns the number of runs on each day. If the request names a task or server, counts only its runs.
 * Otherwise, counts all runs of the workspace. A task or server that was deleted keeps its numbers.
 */
export async function showRunDays(
  services: ServiceContext,
  caller: Caller,
  request: RunDaysRequest,
): Promise<RunDays> {
  const scope = scopeOf(caller, request);
  const range = await completeRange(services, caller, request);
  const rows = await countRunsByDay(services.database, caller.workspaceId, scope, boundariesOf(range));
  const byDay = new Map(rows.map(({ day, ...counts }) => [day, counts]));
  const days = datesOf(range).map((date, index) => ({ date, ...NONE, ...byDay.get(index) }));
  return { ...range, days, totals: rows.reduce(sum, NONE) };
}

function scopeOf({ workspaceId }: Caller, request: RunDaysRequest): RunHistoryScope {
  const { backup_task_id, remote_server_id } = request;
  if (backup_task_id !== undefined && remote_server_id !== undefined) {
    throw new InvalidError({
      remote_server_id: ["The remote server id field can't be combined with backup task id."],
    });
  }
  if (backup_task_id !== undefined) return { scope: "task", id: backup_task_id };
  if (remote_server_id !== undefined) return { scope: "server", id: remote_server_id };
  return { scope: "workspace", id: workspaceId };
}

function sum(one: RunCounts, other: RunCounts): RunCounts {
  return {
    succeeded: one.succeeded + other.succeeded,
    warnings: one.warnings + other.warnings,
    failed: one.failed + other.failed,
    cancelled: one.cancelled + other.cancelled,
    skipped: one.skipped + other.skipped,
  };
}
