/**
 * Computes the due times of a cron expression slowly, so that tests can check
 * `src/domain/schedules/schedule.ts`. Steps through a zone's local time minute by minute. Shares no code with
 * that file: has its own parser, and gets a zone's offset from Intl in a different way.
 */

const MINUTE = 60_000;

/**
 * A parsed cron expression. In the expression, each of the five fields is `*`, a number, a range, a step, or
 * a list of numbers, ranges and steps. Sunday is 0.
 */
export interface Pattern {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  readonly day: ReadonlySet<number> | null;
  readonly month: ReadonlySet<number>;
  readonly weekday: ReadonlySet<number> | null;
}

export function pattern(expression: string): Pattern {
  const [minute, hour, day, month, weekday] = expression.split(" ") as [
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    minute: field(minute, 0, 59),
    hour: field(hour, 0, 23),
    day: day === "*" ? null : field(day, 1, 31),
    month: field(month, 1, 12),
    weekday: weekday === "*" ? null : field(weekday, 0, 6),
  };
}

function field(text: string, min: number, max: number): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range, step = "1"] = part.split("/") as [string, string?];
    const [first, last = first] = range === "*"
      ? [`${min}`, `${max}`]
      : range.split("-") as [string, string?];
    for (let value = Number(first); value <= Number(last); value += Number(step)) values.add(value);
  }
  return values;
}

/**
 * Returns whether a local time matches the pattern. `wall` is in minutes since 1970-01-01T00:00 in local
 * time. If the pattern has a day and a weekday, only one of them must match, as in every cron.
 */
function matches(pattern: Pattern, wall: number): boolean {
  if (!pattern.minute.has(wall % 60)) return false;
  const at = new Date(wall * MINUTE);
  if (!pattern.hour.has(at.getUTCHours())) return false;
  if (!pattern.month.has(at.getUTCMonth() + 1)) return false;
  const isDay = pattern.day?.has(at.getUTCDate());
  const isWeekday = pattern.weekday?.has(at.getUTCDay());
  if (isDay === undefined) return isWeekday ?? true;
  return isDay || (isWeekday ?? false);
}

/** A time zone's offsets from UTC, for the time from `start` to `end`. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;
  /**
   * Each offset in minutes. `from` is the minute since 1970 from which the offset applies. The first offset
   * applies from `start`.
   */
  readonly changes: { from: number; offset: number }[] = [];

  constructor(readonly zone: string, readonly start: Date, readonly end: Date) {
    this.#format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
    let known = NaN;
    // Compares only the first and the last minute of each quarter of an hour. If both have the last known
    // offset, so do the minutes in between: no zone has ever changed its offset twice within a quarter of an
    // hour.
    for (let block = start.getTime() / MINUTE; block < end.getTime() / MINUTE; block += 15) {
      if (this.#offsetAt(block) === known && this.#offsetAt(block + 14) === known) continue;
      for (let minute = block; minute < block + 15; minute++) {
        const offset = this.#offsetAt(minute);
        if (offset !== known) this.changes.push({ from: minute, offset });
        known = offset;
      }
    }
  }

  #offsetAt(minute: number): number {
    const text = this.#format.format(minute * MINUTE);
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text)!;
    if (sign === undefined) return 0;
    return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  }

  /**
   * Returns the due times after `from` and before `to`. If a clock change repeats a due local time, only the
   * first time counts. If a clock change skips due local times, they become one due time, right after the
   * change.
   */
  due(pattern: Pattern, from: Date, to: Date): string[] {
    const due: string[] = [];
    let [index, shown] = [0, NaN];
    // Start three days before `from`, to know which local times the clock has already shown at `from`. No
    // clock change exceeds a day, so three days are enough.
    const start = Math.max(this.start.getTime(), from.getTime() - 3 * 24 * 60 * MINUTE);
    for (let minute = start / MINUTE; minute < to.getTime() / MINUTE; minute++) {
      while ((this.changes[index + 1]?.from ?? Infinity) <= minute) index++;
      const wall = minute + this.changes[index]!.offset;
      if (wall <= shown) continue;
      let isDue = false;
      for (let each = Number.isNaN(shown) ? wall : shown + 1; each <= wall; each++) {
        isDue ||= matches(pattern, each);
      }
      shown = wall;
      if (isDue && minute * MINUTE > from.getTime()) due.push(new Date(minute * MINUTE).toISOString());
    }
    return due;
  }
}
