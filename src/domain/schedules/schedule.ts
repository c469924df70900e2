/**
 * Computes when a task runs: daily, weekly or by a cron expression, in local time of the task's time zone.
 */
import { Cron } from "croner";
import { instantOf, isTimezone, type LocalSpan, wallTime } from "../timezone.ts";

/** The schedule of a task. `weekday` is 0 for Sunday to 6 for Saturday. `time_to_run_at` is `HH:MM`. */
export interface Schedule {
  readonly frequency: "daily" | "weekly" | null;
  readonly time_to_run_at: string | null;
  readonly weekday: number | null;
  /** Cron expression that replaces the three fields above; null if they apply. */
  readonly custom_cron_expression: string | null;
  readonly timezone: string;
}

const NICKNAMES = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/**
 * Returns the first due time after `after`; null if croner finds none. Each local time that matches the
 * schedule is due once:
 * - If a clock change skips the local time, it is due right after the gap.
 * - If a clock change repeats the local time, it is due only the first time.
 *
 * The expression is matched against local time as if local time were UTC. Then the match is converted to an
 * instant. A later local time never converts to an earlier instant. So the first match whose instant is after
 * `after` is the result.
 */
export function nextRun(schedule: Schedule, after: Date): Date | null {
  const pattern = wallClockPattern(expressionOf(schedule));
  let wall: Date | null = new Date(wallTime(schedule.timezone, after));
  while ((wall = pattern.nextRun(wall)) !== null) {
    const instant = instantOf(schedule.timezone, wall.getTime());
    if (instant > after) return instant;
  }
  return null;
}

const DAY = 24 * 3_600_000;

/**
 * Returns the first due time after `after`. Normally, `problem` is null. But an update of the runtime might
 * make the stored schedule invalid:
 * - If the time zone is now unknown, uses UTC.
 * - If the schedule can't be parsed, returns the time one day after `after`.
 *
 * In both cases, `problem` describes the problem in one sentence.
 */
export function planRun(schedule: Schedule, after: Date): { next: Date | null; problem: string | null } {
  const { timezone } = schedule;
  const problem = isTimezone(timezone)
    ? null
    : `The time zone ${timezone} is not known to this control plane: it uses UTC for the schedule.`;
  try {
    return { next: nextRun(schedule, after), problem };
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, "").replace(/\.$/, "");
    return {
      next: new Date(after.getTime() + DAY),
      problem: `The schedule can't be parsed (${reason}): the task runs once a day.`,
    };
  }
}

/** Returns the next `count` due times after `after`, or fewer if there are no more. */
export function upcoming(schedule: Schedule, after: Date, count: number): Date[] {
  const times: Date[] = [];
  let last: Date | null = after;
  while (times.length < count && (last = nextRun(schedule, last)) !== null) times.push(last);
  return times;
}

/**
 * Returns the first due times of a period, at most `count`. The period includes `from` and excludes `until`.
 *
 * @param span The conversions of the schedule's zone, at least for the time from `from` to `until`.
 */
export function dueTimesWithin(
  schedule: Schedule,
  { from, until, span }: { from: Date; until: Date; span: LocalSpan },
  count: number,
): Date[] {
  const times: Date[] = [];
  // Begin before `from`, because a due time at `from` itself counts.
  let last = from.getTime() - 1;
  for (const wall of wallTimesAfter(schedule, wallTime(schedule.timezone, new Date(last)))) {
    const instant = span.instantOf(wall);
    if (times.length === count || instant >= until) break;
    if (instant.getTime() <= last) continue;
    times.push(instant);
    last = instant.getTime();
  }
  return times;
}

/**
 * Yields the local due times after a local time, in milliseconds since 1970-01-01T00:00 local time. Computes
 * daily and weekly times without croner, which is many times slower.
 */
function* wallTimesAfter(schedule: Schedule, wall: number): Generator<number> {
  const { frequency, time_to_run_at, weekday, custom_cron_expression } = schedule;
  if (custom_cron_expression === null && (frequency === "daily" || weekday !== null)) {
    const [hour, minute] = time_to_run_at!.split(":").map(Number) as [number, number];
    const time = (hour * 60 + minute) * 60_000;
    for (let day = Math.floor(wall / DAY) * DAY;; day += DAY) {
      const isDue = frequency === "daily" || new Date(day).getUTCDay() === weekday;
      if (isDue && day + time > wall) yield day + time;
    }
  }
  const pattern = wallClockPattern(expressionOf(schedule));
  for (let next = pattern.nextRun(new Date(wall)); next !== null; next = pattern.nextRun(next)) {
    yield next.getTime();
  }
}

/**
 * Returns the interval, in milliseconds, of a cron expression that is due at equal intervals. An example is
 * every 5 minutes. Returns null for any other schedule.
 */
export function regularInterval({ custom_cron_expression }: Schedule): number | null {
  const text = custom_cron_expression?.trim().toLowerCase() ?? "";
  const [minute = "", hour = "", ...days] = (text === "@hourly" ? "0 * * * *" : text).split(/\s+/);
  if (days.join(" ") !== "* * *") return null;
  const [minutes, hours] = [stepOf(minute, 60), stepOf(hour, 24)];
  if (minutes !== null) return hour === "*" ? minutes * 60_000 : null;
  return /^\d+$/.test(minute) && hours !== null ? hours * 3_600_000 : null;
}

/** Returns the step of a field such as `*` or `*\/5` if it divides the field's range; null otherwise. */
function stepOf(field: string, range: number): number | null {
  const match = /^\*(?:\/(\d+))?$/.exec(field);
  if (match === null) return null;
  const step = Number(match[1] ?? 1);
  return step > 0 && range % step === 0 ? step : null;
}

/**
 * Returns the first two due times from `from` to before `until`, or fewer. The times are local, in
 * milliseconds since 1970-01-01T00:00 local time.
 */
export function localTimesBetween(schedule: Schedule, from: number, until: number): number[] {
  const pattern = wallClockPattern(expressionOf(schedule));
  return pattern.nextRuns(2, new Date(from - 1000)).map((wall) => wall.getTime()).filter((wall) =>
    wall < until
  );
}

/**
 * Returns why `expression` can't be used, in one sentence; null if it is a valid cron expression that matches
 * some time.
 */
export function cronProblem(expression: string): string | null {
  const text = expression.trim();
  if (text.startsWith("@")) {
    if (NICKNAMES.includes(text.toLowerCase())) return null;
    return `The custom cron expression must be five fields or one of ${NICKNAMES.join(", ")}.`;
  }
  if (text.split(/\s+/).length !== 5) {
    return "The custom cron expression must have five fields: minute, hour, day of month, month, weekday.";
  }
  const range = rangeProblem(text.split(/\s+/));
  if (range !== null) return `The custom cron expression is not valid: ${range}.`;
  try {
    if (wallClockPattern(text).nextRun(new Date(0)) !== null) return null;
    return "The custom cron expression never matches: no date fits it.";
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, "").replace(/\.$/, "");
    return `The custom cron expression is not valid: ${reason}.`;
  }
}

/** Fields of a cron expression, with their lowest and highest numbers. Sunday is 0 or 7. */
const FIELDS = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day of month", 1, 31],
  ["month", 1, 12],
  ["weekday", 0, 7],
] as const;
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/**
 * Returns what is wrong with the first number or range that is outside its field's numbers; null if none is.
 */
function rangeProblem(fields: readonly string[]): string | null {
  for (const [index, [name, low, high]] of FIELDS.entries()) {
    for (const part of fields[index]!.toLowerCase().split(",")) {
      const bounds = part.split("/")[0]!.split("-").map((text) =>
        name === "weekday" && WEEKDAYS.includes(text) ? String(WEEKDAYS.indexOf(text)) : text
      );
      if (!bounds.every((text) => /^\d+$/.test(text))) continue;
      const [from, to = from] = bounds.map(Number) as [number, number?];
      const wrong = [from, to].find((value) => value < low || value > high);
      if (wrong !== undefined) return `${name} ${wrong} is not one of ${low} to ${high}`;
      const last = name === "weekday" ? 6 : high;
      if (from > to) return `${name} ${part} runs backwards; write ${from}-${last},${low}-${to}`;
    }
  }
  return null;
}

/** Returns the time until `to`, such as `in 5 hours`, in the largest unit that fits and rounded down. */
export function humanWait(from: Date, to: Date): string {
  const seconds = Math.floor((to.getTime() - from.getTime()) / 1000);
  if (seconds <= 0) return "now";
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `in ${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return "in less than a minute";
}

/** Units of time with their length in seconds, the largest first. */
const UNITS = Object.entries({
  year: 31_536_000,
  month: 2_592_000,
  week: 604_800,
  day: 86_400,
  hour: 3600,
  minute: 60,
});

function expressionOf(schedule: Schedule): string {
  if (schedule.custom_cron_expression !== null) return schedule.custom_cron_expression;
  const [hour, minute] = (schedule.time_to_run_at ?? "").split(":").map(Number);
  const weekday = schedule.frequency === "weekly" ? schedule.weekday : "*";
  return `${minute} ${hour} * * ${weekday}`;
}

/** Parses a cron expression as crontab(5) defines it. */
function wallClockPattern(expression: string): Cron {
  const text = expression.trim();
  return new Cron(text, { mode: "5-part", timezone: "UTC", paused: true, domAndDow: matchesBothDays(text) });
}

/**
 * Returns whether a day must match both fields: day of month and weekday. Normally, a day has to match only
 * one of the two. If one of the two fields begins with a star, a day must match both. For example,
 * `0 2 *\/2 * 1` runs on Mondays that are odd days of the month.
 */
export function matchesBothDays(expression: string): boolean {
  const [, , day = "", , weekday = ""] = expression.split(/\s+/);
  return day.startsWith("*") || weekday.startsWith("*");
}
