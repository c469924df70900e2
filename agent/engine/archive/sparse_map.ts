/** Reads sparse files from archives in GNU tar's format 1.0 (its manual, "Storing Sparse Files"). */

/** A range of a sparse file whose bytes are stored. All other bytes of the file are zero. */
export interface Segment {
  from: number;
  size: number;
}

/**
 * Maximum number of digits of a number in the map. The digits of a number can be split between two blocks.
 */
const MAX_DIGITS = 16;
const ZEROS = new Uint8Array(64 * 1024);

/**
 * Reads the map of a sparse file, in whole blocks. The map first has the number of segments. Then it has the
 * position and the size of each segment. Each number is a line. Returns null if the blocks are not a map.
 *
 * @param take Returns the next block; null at the end.
 */
export async function readSparseMap(take: () => Promise<Uint8Array | null>): Promise<Segment[] | null> {
  const numbers: number[] = [];
  let text = "";
  for (;;) {
    const block = await take();
    if (block === null) return null;
    text += String.fromCharCode(...block);
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (!/^\d{1,16}$/.test(line)) return null;
      numbers.push(Number(line));
      if (numbers.length === 1 + 2 * numbers[0]!) return segmentsOf(numbers);
    }
    if (text.length > MAX_DIGITS) return null;
  }
}

function segmentsOf(numbers: readonly number[]): Segment[] {
  const segments: Segment[] = [];
  for (let at = 1; at < numbers.length; at += 2) {
    segments.push({ from: numbers[at]!, size: numbers[at + 1]! });
  }
  return segments;
}

/**
 * Returns whether the segments follow each other within a file of `size` bytes and contain `stored` bytes in
 * total.
 */
export function fills(segments: readonly Segment[], stored: number, size: number): boolean {
  let end = 0;
  let sum = 0;
  for (const segment of segments) {
    if (segment.from < end) return false;
    end = segment.from + segment.size;
    sum += segment.size;
  }
  return end <= size && sum === stored;
}

/**
 * Yields the bytes of a sparse file from `from` up to, but not including, `to`. A chunk is valid until the
 * next one is requested.
 *
 * @param read Reads a range of the stored data. Called at most once, because the segments follow each other
 *   in the stored data without gaps.
 */
export async function* sparseBytes(
  segments: readonly Segment[],
  { from, to }: { from: number; to: number },
  read: (from: number, to: number) => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const { parts, stored } = within(segments, from, to);
  let at = from;
  if (parts.length > 0) {
    let part = 0;
    let left = parts[0]!.size;
    yield* zeros(parts[0]!.from - at);
    for await (const chunk of read(stored.from, stored.to)) {
      for (let rest = chunk; rest.length > 0;) {
        const piece = rest.subarray(0, left);
        yield piece;
        rest = rest.subarray(piece.length);
        left -= piece.length;
        if (left > 0) continue;
        at = parts[part]!.from + parts[part]!.size;
        const next = parts[++part];
        if (next === undefined) break;
        yield* zeros(next.from - at);
        left = next.size;
      }
    }
  }
  yield* zeros(to - at);
}

/**
 * Cuts off what the segments have before `from` or after `to`. Returns the remaining parts, and the range
 * that these parts occupy in the stored data.
 */
function within(segments: readonly Segment[], from: number, to: number) {
  const parts: Segment[] = [];
  const stored = { from: 0, to: 0 };
  let before = 0;
  for (const segment of segments) {
    const begin = Math.max(segment.from, from);
    const end = Math.min(segment.from + segment.size, to);
    if (begin < end) {
      if (parts.length === 0) stored.from = before + begin - segment.from;
      stored.to = before + end - segment.from;
      parts.push({ from: begin, size: end - begin });
    }
    before += segment.size;
  }
  return { parts, stored };
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.length) {
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
  }
}
