/** Divides a range of days into the days of a time zone, for histories. */
import { clockChanges, instantOf, offsetAt, wallTime } from "../timezone.ts";

const DAY = 24 * 3_600_000;

/** Maximum number of days in a range. Older numbers are not kept. */
export const HISTORY_DAYS = 400;

/** How long the times of connections are kept, in milliseconds. */
export const CONNECTIONS_KEPT = 90 * DAY;

/** Number of days in a range whose beginning is not given. */
export const DEFAULT_DAYS = 365;

/** A range of days in a time zone. The dates have the form `2026-01-31`, and both are included. */
export interface DayRange {
  readonly timezone: string;
  readonly from: string;
  readonly to: string;
}

/** Returns the date of an instant in a time zone. */
export function localDate(timezone: string, instant: Date): string {
  return dateOf(wallTime(timezone, instant));
}

/** Returns the date that is `days` after `date`. */
export function addDays(date: string, days: number): string {
  return dateOf(midnight(date) + days * DAY);
}

/** Returns the number of days from `from` to `to`, both included. */
export function countDays({ from, to }: Pick<DayRange, "from" | "to">): number {
  return Math.round((midnight(to) - midnight(from)) / DAY) + 1;
}

/** Returns every date of the range. */
export function datesOf(range: DayRange): string[] {
  return Array.from({ length: countDays(range) }, (_, index) => addDays(range.from, index));
}

/** Ranges whose boundaries were computed last. Pages ask for the same ones again and again. */
const known = new Map<string, readonly Date[]>();
const MAX_KNOWN = 50;

/**
 * Returns when each day of the range begins, and when the last one ends. A day in which clocks change is
 * shorter or longer than 24 hours.
 */
export function boundariesOf(range: DayRange): readonly Date[] {
  const key = `${range.timezone} ${range.from} ${range.to}`;
  const boundaries = known.get(key) ?? computeBoundaries(range);
  known.delete(key);
  known.set(key, boundaries);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!);
  return boundaries;
}

/** Reads the zone's offset only once a week, and around changes: each reading takes microseconds. */
function computeBoundaries({ timezone, ...range }: DayRange): Date[] {
  const count = countDays(range) + 1;
  const first = midnight(range.from);
  const early = new Date(first - 2 * DAY);
  const changes = clockChanges(timezone, early, new Date(first + (count + 2) * DAY));
  const offset = offsetAt(timezone, early.getTime());
  return Array.from({ length: count }, (_, index) => {
    const wall = first + index * DAY;
    if (changes.some(({ at }) => Math.abs(at.getTime() - wall) < 2 * DAY)) return instantOf(timezone, wall);
    return new Date(wall - (changes.findLast(({ at }) => at.getTime() < wall)?.after ?? offset));
  });
}

function midnight(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

function dateOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}
