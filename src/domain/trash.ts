/** The trash keeps deleted records for some days. Meanwhile, the deletion can be undone. */

/** Number of days if `DELETE_DELAY_DAYS` is not set. */
export const DEFAULT_DELETE_DELAY_DAYS = 3;
export const LONGEST_DELETE_DELAY_DAYS = 365;

const DAY = 86_400_000;

/** How many days the trash keeps a record. */
export interface DeleteDelay {
  readonly days: number;
  /** A shorter delay that will replace `days` at the time `from`; null if there is none. */
  readonly next: { readonly days: number; readonly from: Date } | null;
}

/** Returns the delay that applies at the time `now`. */
export function delayAt(delay: DeleteDelay, now: Date): DeleteDelay {
  const { next } = delay;
  return next !== null && next.from <= now ? { days: next.days, next: null } : delay;
}

/**
 * Returns the new delay when `days` is configured at the time `now`. A longer delay applies at once. A
 * shorter delay applies only once the current delay has passed since `now`. So nobody can speed up a deletion
 * by configuring a shorter delay first.
 */
export function configureDelay(before: DeleteDelay | null, days: number, now: Date): DeleteDelay {
  if (before === null) return { days, next: null };
  const current = delayAt(before, now);
  if (days >= current.days) return { days, next: null };
  if (current.next !== null && current.next.days === days) return current;
  return { days: current.days, next: { days, from: after(current.days, now) } };
}

/** Returns when a record that is put into the trash now will be deleted. */
export function deletionTime(delay: DeleteDelay, now: Date): Date {
  return after(delayAt(delay, now).days, now);
}

function after(days: number, now: Date): Date {
  return new Date(now.getTime() + days * DAY);
}
