/** Computes when the quiet hours of a stream end. */
import { instantOf, wallTime } from "../timezone.ts";

const DAY = 24 * 3_600_000;

/** The columns of a stream that describe its quiet hours. */
export interface QuietHours {
  /**
   * Times of day at which quiet hours begin and end, as `HH:MM`. If the end is not later than the beginning,
   * the end is on the next day. Both times are null if the stream has no quiet hours.
   */
  readonly quiet_from: string | null;
  readonly quiet_to: string | null;
  /** Weekdays on which quiet hours begin, 0 for Sunday to 6 for Saturday. Empty for every day. */
  readonly quiet_days: readonly number[];
  /**
   * Names of event classes, such as `damaged`. Notification events of these classes are sent at once even in
   * quiet hours.
   */
  readonly quiet_except: readonly string[];
  /** Time zone of `quiet_from` and `quiet_to`; if null, the user's time zone applies. */
  readonly timezone: string | null;
}

/**
 * Returns the end of the quiet hours in which `at` lies; null if `at` is not in the stream's quiet hours.
 *
 * @param userZone The time zone of streams without a time zone of their own.
 */
export function quietUntil(hours: QuietHours, at: Date, userZone: string): Date | null {
  const { quiet_days, quiet_from, quiet_to } = hours;
  if (quiet_from === null || quiet_to === null) return null;
  const zone = hours.timezone ?? userZone;
  const wall = wallTime(zone, at);
  const today = Math.floor(wall / DAY) * DAY;
  // Quiet hours that began yesterday might last into today.
  for (const day of [today - DAY, today]) {
    if (quiet_days.length > 0 && !quiet_days.includes(new Date(day).getUTCDay())) continue;
    const begin = day + sinceMidnight(quiet_from);
    const end = day + sinceMidnight(quiet_to) + (quiet_to > quiet_from ? 0 : DAY);
    if (wall < begin || wall >= end) continue;
    const until = instantOf(zone, end);
    // When the clock is set back, some times of day occur twice. If the quiet hours end at such a time,
    // `instantOf` returns its first occurrence. `at` might already be later than this occurrence.
    return until > at ? until : null;
  }
  return null;
}

/** Returns the milliseconds between midnight and a time of day, `HH:MM`. */
function sinceMidnight(time: string): number {
  const [hours, minutes] = time.split(":").map(Number);
  return (hours! * 60 + minutes!) * 60_000;
}
