/** Computes the part size of an S3 multipart upload. Sizes are in bytes. */

const MIB = 2 ** 20;
/** S3's limits. */
export const MAX_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;
/** Allows 156 GiB in 10,000 parts. The agent holds three parts in memory. */
const SMALLEST_PART = 16 * MIB;
/**
 * S3's minimum size of a part, except for the last one. On a slow link small parts are better: a part must
 * get through in one piece, and each interruption loses one.
 */
const SLOW_PART = 5 * MIB;
/** Bytes per second below which a link is slow: a usual part takes more than a minute. */
const SLOW = 256 * 1024;
/** How much an object may grow from one backup to the next and still fit into its upload. */
const GROWTH = 1.5;

/**
 * Returns the size of every part but the last, in whole MiB; null if the object cannot fit into an upload.
 *
 * @param sizeHint The object's previous size; null if there is none.
 * @param bytesPerSecond The upload rate of the task's last run; null if unknown.
 */
export function partSize(sizeHint: number | null, bytesPerSecond: number | null = null): number | null {
  const size = sizeHint ?? 0;
  if (size > MAX_PARTS * LARGEST_PART) return null;
  const needed = Math.ceil(size * GROWTH / MAX_PARTS / MIB) * MIB;
  const smallest = bytesPerSecond !== null && bytesPerSecond < SLOW ? SLOW_PART : SMALLEST_PART;
  return Math.min(Math.max(needed, smallest), LARGEST_PART);
}

/** Returns the number of parts of an object; an empty object has none. */
export function partCount(size: number, bytesInPart: number): number {
  return Math.ceil(size / bytesInPart);
}
