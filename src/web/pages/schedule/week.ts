/** The plan of a week, as the page `/schedule` shows it. */
import type { DataOf } from "../../../client/client.ts";
import { addDays, localDate } from "../../../domain/history/day_range.ts";
import { localClock } from "../../../domain/timezone.ts";

export type Week = DataOf<"/api/backup-tasks/week">;
export type PlannedServer = Week["servers"][number];
export type PlannedTask = PlannedServer["tasks"][number];

/** A run that is due. */
export interface DueRun {
  /** The due time, in the API's format. */
  readonly at: string;
  /** The day and the time of day, such as `2026-11-30` and `02:30`. */
  readonly day: string;
  readonly time: string;
  readonly task: PlannedTask;
  readonly server: PlannedServer;
  /** Whether the run is expected to wait for a run of another task of the same server. */
  readonly waits: boolean;
}

/**
 * Returns the runs that are due at or after `from` and before `until`, the earliest first. Both times are in
 * the API's format.
 */
export function dueRuns(week: Week, from: string, until: string): DueRun[] {
  const [start, end] = [Date.parse(from), Date.parse(until)];
  const runs = week.servers.flatMap((server) =>
    server.tasks.flatMap((task) =>
      task.runs.filter(({ at }) => Date.parse(at) >= start && Date.parse(at) < end).map(({ at, local }) => ({
        at,
        day: local.slice(0, 10),
        time: local.slice(11, 16),
        task,
        server,
        waits: mayWait(server, task, at),
      }))
    )
  );
  return runs.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.task.label.localeCompare(b.task.label));
}

function mayWait({ overlaps }: PlannedServer, { backup_task_id }: PlannedTask, at: string): boolean {
  const time = Date.parse(at);
  return overlaps.some(({ from, until, backup_task_ids, waits }) =>
    waits && backup_task_ids.includes(backup_task_id) && time >= Date.parse(from) && time <= Date.parse(until)
  );
}

/** An overlap of the same tasks of a server, at the same times of day on one or several days. */
export interface RepeatedOverlap {
  readonly server: PlannedServer;
  readonly tasks: readonly PlannedTask[];
  /** The local times of day. */
  readonly from: string;
  readonly until: string;
  readonly days: readonly string[];
  readonly mostAtOnce: number;
  readonly waits: boolean;
}

/**
 * Returns the overlaps of a week. Overlaps of the same tasks at the same times on several days become one.
 */
export function repeatedOverlaps({ servers, timezone }: Week): RepeatedOverlap[] {
  const all = new Map<string, RepeatedOverlap>();
  for (const server of servers) {
    for (const { from, until, backup_task_ids, most_at_once, waits } of server.overlaps) {
      const clocks = [from, until].map((at) => localClock(timezone, new Date(at)));
      const key = [server.id, ...clocks, ...backup_task_ids, most_at_once].join(" ");
      const day = localDate(timezone, new Date(from));
      const known = all.get(key);
      all.set(key, {
        server,
        tasks: server.tasks.filter((task) => backup_task_ids.includes(task.backup_task_id)),
        from: clocks[0]!,
        until: clocks[1]!,
        days: [...known?.days ?? [], day],
        mostAtOnce: most_at_once,
        waits,
      });
    }
  }
  return [...all.values()].sort((a, b) => Number(b.waits) - Number(a.waits) || a.from.localeCompare(b.from));
}

/** Returns the Monday of the week that begins `weeks` after the week of `day`. */
export function mondayOf(day: string, weeks = 0): string {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, 7 * weeks - weekday);
}

const DAY_NAME = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short" });
const DAY_AND_MONTH = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });

/** Formats a day: `Mon`. */
export function dayName(day: string): string {
  return DAY_NAME.format(new Date(`${day}T00:00:00Z`));
}

/** Formats a day: `30 Nov`. */
export function dayAndMonth(day: string): string {
  return DAY_AND_MONTH.format(new Date(`${day}T00:00:00Z`));
}
