/** Converts between instants and local time in an IANA time zone. */

const HOUR = 3_600_000;

/** Cache of one formatter for each zone, because creating a formatter takes far longer than using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * Returns the formatter of a zone. Uses UTC if this runtime lacks the zone, for example because the IANA
 * database has dropped it. So times can still be shown, and schedules can still be planned.
 */
function formatter(zone: string): Intl.DateTimeFormat {
  return strictFormatter(isTimezone(zone) ? zone : "UTC");
}

function strictFormatter(zone: string): Intl.DateTimeFormat {
  let known = formatters.get(zone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formatters.set(zone, known);
  }
  return known;
}

/**
 * Returns whether a name is in the IANA database, such as `Europe/Berlin` or `UTC`. Returns false for an
 * offset such as `+02:00`.
 */
export function isTimezone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(zone)) return false;
  try {
    strictFormatter(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the local time of an instant, in milliseconds since 1970-01-01T00:00 local time. The result is a
 * whole number of seconds.
 */
export function wallTime(zone: string, instant: Date): number {
  const part: Record<string, string> = {};
  for (const { type, value } of formatter(zone).formatToParts(instant)) part[type] = value;
  return Date.UTC(
    Number(part.year),
    Number(part.month) - 1,
    Number(part.day),
    Number(part.hour),
    Number(part.minute),
    Number(part.second),
  );
}

/** Returns how many milliseconds the zone is ahead of UTC at `instant`. */
export function offsetAt(zone: string, instant: number): number {
  const whole = Math.floor(instant / 1000) * 1000;
  return wallTime(zone, new Date(whole)) - whole;
}

/**
 * Returns the instant of the local time `wall`. If a clock change repeats the local time, returns its first
 * instant. If a clock change skips the local time, returns the first moment after the gap. A later `wall`
 * never gives an earlier instant.
 */
export function instantOf(zone: string, wall: number): Date {
  // A zone is at most 14 hours ahead of UTC and at most 12 hours behind it. So the instant of the local time
  // `wall` lies between the two instants in the next lines. `before` is the zone's offset at the earlier one,
  // and `after` is its offset at the later one.
  const before = offsetAt(zone, wall - 15 * HOUR);
  const after = offsetAt(zone, wall + 13 * HOUR);
  const early = wall - Math.max(before, after);
  const late = wall - Math.min(before, after);
  if (offsetAt(zone, early) === wall - early) return new Date(early);
  if (offsetAt(zone, late) === wall - late) return new Date(late);
  return new Date(changeBetween(zone, early, late));
}

/**
 * Returns when the zone's offset changes between two instants: the first second with the offset of `late`.
 */
function changeBetween(zone: string, early: number, late: number): number {
  const target = offsetAt(zone, late);
  let [low, high] = [Math.floor(early / 1000), Math.ceil(late / 1000)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle * 1000) === target) high = middle;
    else low = middle;
  }
  return high * 1000;
}

/** A change of a zone's offset. The offsets say how many milliseconds the zone is ahead of UTC. */
export interface ClockChange {
  readonly at: Date;
  readonly before: number;
  readonly after: number;
}

/**
 * Interval at which {@link clockChanges} reads the zone's offset. If the offset changes twice within one
 * interval, changes might be missed.
 */
const WEEK = 168 * HOUR;

/** Returns the zone's clock changes between two instants, the earliest first. */
export function clockChanges(zone: string, from: Date, until: Date): ClockChange[] {
  const changes: ClockChange[] = [];
  for (let early = from.getTime(); early < until.getTime(); early += WEEK) {
    const late = Math.min(early + WEEK, until.getTime());
    const [before, after] = [offsetAt(zone, early), offsetAt(zone, late)];
    if (before !== after) changes.push({ at: new Date(changeBetween(zone, early, late)), before, after });
  }
  return changes;
}

/** Returns the local time of an instant with its offset: `2026-03-29T03:00:00+02:00`. */
export function localIso(zone: string, instant: Date): string {
  return isoWithOffset(wallTime(zone, instant), offsetAt(zone, instant.getTime()));
}

function isoWithOffset(wall: number, offset: number): string {
  const total = Math.round(offset / 60_000);
  const [hours, minutes] = [Math.floor(Math.abs(total) / 60), Math.abs(total) % 60];
  const sign = total < 0 ? "-" : "+";
  return `${new Date(wall).toISOString().slice(0, 19)}${sign}${twoDigits(hours)}:${twoDigits(minutes)}`;
}

/** Converts between local times and instants of a zone within a span of time. */
export interface LocalSpan {
  /** Returns the instant of a local time, as {@link instantOf} does. */
  instantOf(wall: number): Date;
  /** Returns the local time of an instant with its offset, as {@link localIso} does. */
  iso(instant: Date): string;
}

const DAY = 24 * HOUR;

/**
 * Returns the conversions for instants from `from` to `until`. They are much faster than {@link instantOf}
 * and {@link localIso} if the clocks do not change in this time, nor in the two days before and after it.
 */
export function localSpan(zone: string, from: Date, until: Date): LocalSpan {
  const [early, late] = [new Date(from.getTime() - 2 * DAY), new Date(until.getTime() + 2 * DAY)];
  if (clockChanges(zone, early, late).length > 0) {
    return { instantOf: (wall) => instantOf(zone, wall), iso: (instant) => localIso(zone, instant) };
  }
  const offset = offsetAt(zone, from.getTime());
  return {
    instantOf: (wall) => new Date(wall - offset),
    iso: (instant) => isoWithOffset(Math.floor(instant.getTime() / 1000) * 1000 + offset, offset),
  };
}

/** Returns the local time of an instant as `HH:MM`. */
export function localClock(zone: string, instant: Date): string {
  return new Date(wallTime(zone, instant)).toISOString().slice(11, 16);
}

/** Returns the local weekday of an instant, from 0 for Sunday to 6 for Saturday. */
export function localWeekday(zone: string, instant: Date): number {
  return new Date(wallTime(zone, instant)).getUTCDay();
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
