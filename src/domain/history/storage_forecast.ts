/**
 * Computes when a destination will be full, from its growth. Computes what a destination costs, from its
 * price.
 */

const DAY = 24 * 3_600_000;

/** Number of days over which the growth of a destination is averaged. */
export const GROWTH_DAYS = 30;

/** Maximum number of days that a forecast covers. A forecast further in the future is worth nothing. */
const FURTHEST = 3650;

/**
 * Returns the average growth in bytes a day. Returns null if nothing was ever stored, or if less than a day
 * has passed since `since`.
 *
 * @param bytes Growth since `since`, in bytes.
 * @param since Beginning of the period in which the growth was measured; null if nothing was ever stored.
 */
export function growthPerDay(bytes: number, since: Date | null, now: Date): number | null {
  const days = since === null ? 0 : (now.getTime() - since.getTime()) / DAY;
  return days < 1 ? null : Math.round(bytes / days);
}

/**
 * Returns after how many days the free space is used up. Returns null if the free space or the growth is not
 * known, if nothing grows, or if the space suffices for ten years.
 */
export function daysUntilFull(freeBytes: number | null, growth: number | null): number | null {
  if (freeBytes === null || growth === null || growth <= 0) return null;
  const days = Math.floor(freeBytes / growth);
  return days > FURTHEST ? null : days;
}

/** Returns the price of the stored bytes for a month; null if the price is not known. */
export function costPerMonth(storedBytes: number, pricePerGb: number | null): number | null {
  return pricePerGb === null ? null : Math.round(storedBytes / 1e9 * pricePerGb * 1e4) / 1e4;
}
