/** Defines summaries: messages that say once a day or week whether everything is protected. */
import type { Outcome } from "../run.ts";
import type { ProtectionStatus } from "../protection.ts";
import { planRun } from "../schedules/schedule.ts";

export const SUMMARIES = ["off", "daily", "weekly"] as const;

/** The columns of a notification stream that say whether and when it gets summaries. */
export interface SummarySchedule {
  readonly summary: typeof SUMMARIES[number];
  /** Time of day at which a summary is sent, as `HH:MM`. */
  readonly summary_time: string;
  /** Weekday on which a weekly summary is sent, 0 for Sunday to 6 for Saturday. */
  readonly summary_weekday: number;
  /** Time zone of `summary_time`; if null, the user's time zone applies. */
  readonly timezone: string | null;
}

/** Facts of a summary. Times are ISO 8601 in UTC. */
export interface Summary {
  readonly period: "daily" | "weekly";
  /** Beginning of the period for which `runs` and `backups` contain counts. */
  readonly since: string;
  readonly is_protected: boolean;
  /** One sentence that says whether all tasks are protected. */
  readonly verdict: string;
  /** The number of tasks by protection status. */
  readonly counts: Readonly<Record<ProtectionStatus, number>>;
  /** The tasks to show: those that are neither protected nor paused, the worst first. Long lists are cut. */
  readonly tasks: readonly {
    readonly id: number;
    readonly label: string;
    readonly status: ProtectionStatus;
    readonly reason: string | null;
  }[];
  /** The number of backup runs that ended in the period, by outcome. */
  readonly runs: Readonly<Record<Outcome, number>>;
  /** The backups that were stored in the period. `size` is in bytes. */
  readonly backups: { readonly count: number; readonly size: number };
  /** All stored backups. `size` is in bytes. */
  readonly stored: { readonly count: number; readonly size: number };
  /** The last successful drill; null if no drill has succeeded yet. */
  readonly proven: { readonly task_id: number; readonly label: string; readonly at: string } | null;
}

const DAY = 24 * 3_600_000;

/** Lengths of the periods, in milliseconds. */
export const PERIODS = { daily: DAY, weekly: 7 * DAY } as const;

/** Returns when the next summary after `after` is due; null if the stream gets none. */
export function nextSummary(
  { summary, summary_time, summary_weekday, timezone }: SummarySchedule,
  after: Date,
  userZone: string,
): Date | null {
  if (summary === "off") return null;
  const schedule = {
    frequency: summary,
    time_to_run_at: summary_time,
    weekday: summary_weekday,
    custom_cron_expression: null,
    timezone: timezone ?? userZone,
  };
  return planRun(schedule, after).next;
}
