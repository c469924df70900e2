/** Describes schedules in words, and says what clock changes do to them. */
import cronstrue from "cronstrue";
import { localTimesBetween, matchesBothDays, type Schedule } from "./schedule.ts";
import { type ClockChange, clockChanges, isTimezone } from "../timezone.ts";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "Every year on 1 January at 00:00",
  "@annually": "Every year on 1 January at 00:00",
  "@monthly": "On the first day of every month at 00:00",
  "@weekly": "Every Sunday at 00:00",
  "@daily": "Every day at 00:00",
  "@midnight": "Every day at 00:00",
  "@hourly": "Every hour",
};

/** Returns a schedule in words, such as `Every day at 02:30 Europe/Berlin`. */
export function describeSchedule(schedule: Schedule): string {
  const { frequency, time_to_run_at, weekday, custom_cron_expression, timezone } = schedule;
  if (custom_cron_expression === null) {
    const day = frequency === "weekly" ? WEEKDAYS[weekday ?? 0] : "day";
    return `Every ${day} at ${time_to_run_at} ${timezone}`;
  }
  return `${cronWords(custom_cron_expression)} (${timezone})`;
}

/** Returns a cron expression in words. If the library can't describe it, returns the expression itself. */
function cronWords(expression: string): string {
  const text = expression.trim();
  const known = NICKNAMES[text.toLowerCase()];
  if (known !== undefined) return known;
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = text.split(/\s+/);
  if (/^\d+$/.test(minute) && /^\d+$/.test(hour) && [day, month, weekday].every((field) => field === "*")) {
    return `Every day at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  }
  try {
    if (matchesBothDays(text) || day === "?" || weekday === "?") return libraryWords(text);
    // A day is due if it matches the day of the month or the day of the week. The library's words would mean
    // that it must match both. So describe each of the two fields in words of its own.
    const byDay = libraryWords(`${minute} ${hour} ${day} ${month} *`);
    const byWeekday = libraryWords(`${minute} ${hour} * ${month} ${weekday}`);
    return `${byDay}; also ${byWeekday.charAt(0).toLowerCase()}${byWeekday.slice(1)}`;
  } catch {
    return `At the times of the cron expression ${text}`;
  }
}

function libraryWords(expression: string): string {
  return cronstrue.toString(expression, { use24HourTimeFormat: true, logicalAndDayFields: true });
}

/** 52 weeks in milliseconds. This is less than a year, so that a yearly clock change is not found twice. */
const YEAR = 364 * 86_400_000;

/**
 * Returns a sentence for each clock change in the year after `from` that skips or repeats a due time of the
 * schedule.
 */
export function clockChangeNotes(schedule: Schedule, from: Date): string[] {
  if (!isTimezone(schedule.timezone)) return [];
  return clockChanges(schedule.timezone, from, new Date(from.getTime() + YEAR))
    .flatMap((change) => clockChangeNote(schedule, change));
}

function clockChangeNote(schedule: Schedule, { at, before, after }: ClockChange): string[] {
  const [old, now] = [at.getTime() + before, at.getTime() + after];
  const [first, more] = localTimesBetween(schedule, Math.min(old, now), Math.max(old, now));
  if (first === undefined) return [];
  const from = `On ${isoDay(Math.min(old, now))} the clocks go`;
  const isOne = more === undefined;
  if (now > old) {
    const what = isOne ? `${clock(first)} does not exist` : "the times in between do not exist";
    return [
      `${from} forward from ${clock(old)} to ${clock(now)}: ${what}, so there is one run at ${clock(now)}.`,
    ];
  }
  const what = isOne ? `${clock(first)} occurs twice` : "the times in between occur twice";
  return [`${from} back from ${clock(old)} to ${clock(now)}: ${what}, and only the first counts.`];
}

function isoDay(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}

function clock(wall: number): string {
  return new Date(wall).toISOString().slice(11, 16);
}
