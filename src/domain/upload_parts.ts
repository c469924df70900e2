/** How an object is cut into the parts of an S3 multipart upload. Sizes in bytes. */

const MIB = 2 ** 20;
/** S3's own limits. */
export const MAX_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;
/** Carries 156 GiB in 10,000 parts. The agent holds three of them in memory. */
const SMALLEST_PART = 16 * MIB;
/** How much an object may grow from one backup to the next and still fit. */
const GROWTH = 1.5;

/**
 * One size for every part but the last, in whole MiB; null where the object can't fit into an upload.
 *
 * @param sizeHint The object's size last time; null where there was none.
 */
export function partSize(sizeHint: number | null): number | null {
  const size = sizeHint ?? 0;
  if (size > MAX_PARTS * LARGEST_PART) return null;
  const needed = Math.ceil(size * GROWTH / MAX_PARTS / MIB) * MIB;
  return Math.min(Math.max(needed, SMALLEST_PART), LARGEST_PART);
}

/** How many parts an object of `size` has; an empty one has none. */
export function partCount(size: number, bytesInPart: number): number {
  return Math.ceil(size / bytesInPart);
}
