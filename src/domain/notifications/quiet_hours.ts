/** Computes when the quiet hours of a stream end. */
import { instantOf, wallTime } from "../timezone.ts";

const DAY = 24 * 3_600_000;

/** The columns of a stream that describe its quiet hours. */
export interface QuietHours {
  /** Begin, and end on this or the next day, as `HH:MM`; null if there are no quiet hours. */
  readonly quiet_from: string | null;
  readonly quiet_to: string | null;
  /** Weekdays on which quiet hours begin, 0 for Sunday to 6 for Saturday; empty for every day. */
  readonly quiet_days: readonly number[];
  /** Classes of events that are sent at once. */
  readonly quiet_except: readonly string[];
  /** Time zone; null for the user's. */
  readonly timezone: string | null;
}

/**
 * Returns when the quiet hours end that contain `at`; null if it is in none.
 *
 * @param userZone The time zone of streams without their own.
 */
export function quietUntil(hours: QuietHours, at: Date, userZone: string): Date | null {
  const { quiet_days, quiet_from, quiet_to } = hours;
  if (quiet_from === null || quiet_to === null) return null;
  const zone = hours.timezone ?? userZone;
  const wall = wallTime(zone, at);
  const today = Math.floor(wall / DAY) * DAY;
  // Quiet hours that began yesterday may last.
  for (const day of [today - DAY, today]) {
    if (quiet_days.length > 0 && !quiet_days.includes(new Date(day).getUTCDay())) continue;
    const begin = day + sinceMidnight(quiet_from);
    const end = day + sinceMidnight(quiet_to) + (quiet_to > quiet_from ? 0 : DAY);
    if (wall < begin || wall >= end) continue;
    const until = instantOf(zone, end);
    // A clock change that repeats an hour may repeat the end.
    return until > at ? until : null;
  }
  return null;
}

/** Returns how many milliseconds after midnight a time of day is, `HH:MM`. */
function sinceMidnight(time: string): number {
  const [hours, minutes] = time.split(":").map(Number);
  return (hours! * 60 + minutes!) * 60_000;
}
