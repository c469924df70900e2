/** Computes the part size of an S3 multipart upload. Sizes are in bytes. */

const MIB = 2 ** 20;
/** The limits of S3: number of parts of an upload, and bytes in a part. */
export const MAX_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;
/**
 * Size of a part on a usual link. 10,000 parts of this size hold 156 GiB. An agent holds three parts in
 * memory, so the size is small.
 */
const SMALLEST_PART = 16 * MIB;
/**
 * Size of a part on a slow link. S3 permits smaller sizes only for the last part. Small parts are better on a
 * slow link, because each interruption loses a whole part.
 */
const SLOW_PART = 5 * MIB;
/**
 * Rate in bytes per second below which a link is slow. A part of the usual size then takes more than a
 * minute.
 */
const SLOW = 256 * 1024;
/** Each upload has room for this many times the object's previous size. */
const GROWTH = 1.5;

/**
 * Returns the size of every part but the last, in whole MiB. Returns null if the object cannot fit into an
 * upload.
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
