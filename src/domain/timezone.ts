/** Local time in an IANA zone: what the clock on its wall shows, and when it shows it. */

const HOUR = 3_600_000;

/** One formatter a zone: making one takes far longer than using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * Uses UTC for a zone that this runtime does not know, such as one dropped from the IANA database. Times are
 * still shown and schedules still planned.
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

/** A name from the IANA database, such as `Europe/Berlin` or `UTC`; an offset such as `+02:00` is none. */
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
 * What the wall clock shows, as milliseconds since 1970-01-01T00:00 on that same clock. Whole seconds.
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

/** Milliseconds that the zone is ahead of UTC at `instant`. */
export function offsetAt(zone: string, instant: number): number {
  const whole = Math.floor(instant / 1000) * 1000;
  return wallTime(zone, new Date(whole)) - whole;
}

/**
 * When the wall clock shows `wall`: the first time where it does so twice, the first moment after the gap
 * where it never does. A later `wall` never gives an earlier instant.
 */
export function instantOf(zone: string, wall: number): Date {
  // No zone is more than 14 hours ahead of UTC or 12 behind it, so these lie before and after `wall` in any.
  const before = offsetAt(zone, wall - 15 * HOUR);
  const after = offsetAt(zone, wall + 13 * HOUR);
  const early = wall - Math.max(before, after);
  const late = wall - Math.min(before, after);
  if (offsetAt(zone, early) === wall - early) return new Date(early);
  if (offsetAt(zone, late) === wall - late) return new Date(late);
  return new Date(changeBetween(zone, early, late));
}

/** The first second between two instants at which the zone's offset is that of the later one. */
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

/** `2026-03-29T03:00:00+02:00`. */
export function localIso(zone: string, instant: Date): string {
  const wall = wallTime(zone, instant);
  const offset = Math.round(offsetAt(zone, instant.getTime()) / 60_000);
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const sign = offset < 0 ? "-" : "+";
  return `${new Date(wall).toISOString().slice(0, 19)}${sign}${twoDigits(hours)}:${twoDigits(minutes)}`;
}

/** `HH:MM` on the wall clock. */
export function localClock(zone: string, instant: Date): string {
  return new Date(wallTime(zone, instant)).toISOString().slice(11, 16);
}

/** Sunday 0 to Saturday 6, on the wall calendar. */
export function localWeekday(zone: string, instant: Date): number {
  return new Date(wallTime(zone, instant)).getUTCDay();
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
