/** Plans a week: when the tasks of a workspace are due, and when runs on the same server overlap. */
import { findOverlaps, type Overlap } from "../../domain/schedules/overlaps.ts";
import { dueTimesWithin, regularInterval, type Schedule } from "../../domain/schedules/schedule.ts";
import { describeSchedule } from "../../domain/schedules/schedule_words.ts";
import { instantOf, type LocalSpan, localSpan, localWeekday, wallTime } from "../../domain/timezone.ts";
import { timezoneOfUser } from "../../store/tasks/backup_tasks.ts";
import { type PlannedTaskRow, plannedTasks } from "../../store/tasks/planned_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

/**
 * Maximum number of due times that are listed for a task. If a task is due more often in the week, its
 * interval is given instead.
 */
const LISTED = 28;
const DAY = 86_400_000;
const DAYS = 7;
/** If a run has no expected duration, the search for overlaps assumes this duration, in milliseconds. */
const UNKNOWN_DURATION = 60_000;

export interface PlannedTask {
  readonly task: PlannedTaskRow;
  /** The schedule in words. */
  readonly description: string;
  /** The due times in the week; empty for a task that has an interval or is paused. */
  readonly times: readonly Date[];
  /**
   * How often the task is due. Null if `times` lists the due times, or if there are none. `ms` is the
   * shortest time between two due times, in milliseconds. `isRegular` says whether all intervals are equal.
   */
  readonly interval: { readonly ms: number; readonly isRegular: boolean } | null;
}

export interface PlannedServer {
  readonly id: number;
  readonly label: string;
  readonly runsAtOnce: number;
  readonly tasks: readonly PlannedTask[];
  readonly overlaps: readonly Overlap[];
}

export interface PlannedWeek {
  readonly timezone: string;
  readonly from: Date;
  readonly until: Date;
  /** The local days of the week, such as `2026-11-30`. */
  readonly days: readonly string[];
  readonly servers: readonly PlannedServer[];
  /** Converts between instants of the week and local times of `timezone`. */
  readonly span: LocalSpan;
}

/**
 * Plans the seven days from `start` on. Without `start`, plans the current week, which begins on Monday.
 * Without `timezone`, uses the user's time zone.
 *
 * @param start The first day, such as `2026-11-30`.
 */
export async function planWeek(
  { clock, database }: ServiceContext,
  caller: Caller,
  { start, timezone: given }: { start?: string; timezone?: string },
): Promise<PlannedWeek> {
  const timezone = given ?? await timezoneOfUser(database, caller.userId);
  const first = start === undefined ? lastMonday(timezone, clock.now()) : Date.parse(start);
  const from = instantOf(timezone, first);
  const until = instantOf(timezone, first + DAYS * DAY);
  const plan = dueTimesBetween(from, until);
  const servers = new Map<number, { row: PlannedTaskRow; tasks: PlannedTask[] }>();
  for (const row of await plannedTasks(database, caller.workspaceId)) {
    const server = servers.get(row.remote_server_id) ?? { row, tasks: [] };
    servers.set(row.remote_server_id, server);
    server.tasks.push(planTask(row, row.paused_at === null ? plan(row) : NEVER));
  }
  return {
    timezone,
    from,
    until,
    days: Array.from({ length: DAYS }, (_, day) => new Date(first + day * DAY).toISOString().slice(0, 10)),
    servers: [...servers.values()].map(({ row, tasks }) => ({
      id: row.remote_server_id,
      label: row.server_label,
      runsAtOnce: row.runs_at_once,
      tasks,
      overlaps: findOverlaps(tasks.flatMap(plannedRuns)),
    })),
    span: localSpan(timezone, from, until),
  };
}

/**
 * Returns the start of the current week's Monday, in milliseconds since 1970-01-01T00:00 local time. On a
 * Monday, this is the start of today.
 */
function lastMonday(timezone: string, now: Date): number {
  const today = Math.floor(wallTime(timezone, now) / DAY) * DAY;
  return today - (localWeekday(timezone, now) + 6) % 7 * DAY;
}

/** The due times of a schedule in the week. */
interface Due {
  readonly times: readonly Date[];
  /** See {@link PlannedTask}. */
  readonly interval: PlannedTask["interval"];
}

const NEVER: Due = { times: [], interval: null };

/**
 * Returns a function that computes the due times of a schedule between two instants. It computes equal
 * schedules and zones only once, because many tasks share a schedule.
 */
function dueTimesBetween(from: Date, until: Date): (schedule: Schedule) => Due {
  const spans = new Map<string, LocalSpan>();
  const known = new Map<string, Due>();
  return (schedule) => {
    const { frequency, time_to_run_at, weekday, custom_cron_expression, timezone } = schedule;
    const key = JSON.stringify([frequency, time_to_run_at, weekday, custom_cron_expression, timezone]);
    let due = known.get(key);
    if (due === undefined) {
      const span = spans.get(timezone) ?? localSpan(timezone, from, until);
      spans.set(timezone, span);
      due = dueTimesOf(schedule, { from, until, span });
      known.set(key, due);
    }
    return due;
  };
}

interface Within {
  readonly from: Date;
  readonly until: Date;
  readonly span: LocalSpan;
}

/**
 * Returns the due times of a schedule in the week. If there are more than `LISTED`, returns no times, only
 * the interval between them. If an update of the runtime made the schedule unreadable, returns neither times
 * nor an interval.
 */
function dueTimesOf(schedule: Schedule, within: { from: Date; until: Date; span: LocalSpan }): Due {
  const regular = regularInterval(schedule);
  if (regular !== null && regular * LISTED < DAYS * DAY) {
    return { times: [], interval: { ms: regular, isRegular: true } };
  }
  let times: Date[];
  try {
    times = dueTimesWithin(schedule, within, LISTED + 1);
  } catch {
    return NEVER;
  }
  if (times.length <= LISTED) return { times, interval: null };
  const gaps = times.slice(1).map((time, index) => time.getTime() - times[index]!.getTime());
  return { times: [], interval: { ms: Math.min(...gaps), isRegular: false } };
}

function planTask(task: PlannedTaskRow, { times, interval }: Due): PlannedTask {
  const description = describeSchedule(task);
  return { task, description, times: times.filter((time) => time >= task.created_at), interval };
}

function plannedRuns({ task, times }: PlannedTask) {
  return times.map((time) => {
    const at = time.getTime();
    return { taskId: task.id, at, until: at + Math.max(task.expected_duration_ms ?? 0, UNKNOWN_DURATION) };
  });
}
