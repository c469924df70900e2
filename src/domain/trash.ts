/** The trash: what a person deletes is kept there for some days, in which it can be taken back. */

/** Days, unless `DELETE_DELAY_DAYS` says otherwise. */
export const DEFAULT_DELETE_DELAY_DAYS = 3;
export const LONGEST_DELETE_DELAY_DAYS = 365;

const DAY = 86_400_000;

/** How long the trash keeps what is put there. */
export interface DeleteDelay {
  readonly days: number;
  /** A shorter delay that holds from then on; null where none is to come. */
  readonly next: { readonly days: number; readonly from: Date } | null;
}

/** Returns the delay that holds at a time. */
export function delayAt(delay: DeleteDelay, now: Date): DeleteDelay {
  const { next } = delay;
  return next !== null && next.from <= now ? { days: next.days, next: null } : delay;
}

/**
 * Returns the delay after `days` was configured. A longer one holds at once. A shorter one waits as long as the
 * delay itself: whoever can shorten it gains no time.
 */
export function configureDelay(before: DeleteDelay | null, days: number, now: Date): DeleteDelay {
  if (before === null) return { days, next: null };
  const current = delayAt(before, now);
  if (days >= current.days) return { days, next: null };
  if (current.next !== null && current.next.days === days) return current;
  return { days: current.days, next: { days, from: after(current.days, now) } };
}

/** Returns when what is put into the trash now is deleted. */
export function deletionTime(delay: DeleteDelay, now: Date): Date {
  return after(delayAt(delay, now).days, now);
}

function after(days: number, now: Date): Date {
  return new Date(now.getTime() + days * DAY);
}
