/** Completes and checks the range of days that a caller asks for. */
import {
  addDays,
  countDays,
  type DayRange,
  DEFAULT_DAYS,
  HISTORY_DAYS,
  localDate,
} from "../../domain/history/day_range.ts";
import { InvalidError } from "../../domain/errors.ts";
import { timezoneOfUser } from "../../store/tasks/backup_tasks.ts";
import type { Caller, ServiceContext } from "../context.ts";

/** A range as a caller sends it. */
export type RequestedRange = { readonly [Name in keyof DayRange]?: DayRange[Name] | undefined };

/**
 * Returns the requested range. By default, it is in the caller's time zone, ends today, and has `days` days.
 * Throws an {@link InvalidError} for a range that is too long or ends before it begins.
 */
export async function completeRange(
  { clock, database }: ServiceContext,
  { userId }: Caller,
  requested: RequestedRange,
  days: number = DEFAULT_DAYS,
): Promise<DayRange> {
  const timezone = requested.timezone ?? await timezoneOfUser(database, userId);
  const to = requested.to ?? localDate(timezone, clock.now());
  const from = requested.from ?? addDays(to, 1 - days);
  const count = countDays({ from, to });
  if (count < 1) {
    throw new InvalidError({ from: ["The from field must be a day before to, or the same day."] });
  }
  if (count > HISTORY_DAYS) {
    throw new InvalidError({ from: [`The from field must be at most ${HISTORY_DAYS} days before to.`] });
  }
  return { timezone, from, to };
}
