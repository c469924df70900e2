/**
 * Reads parts of an archive. Unpacks only the zstd frames that contain these parts, and verifies each frame
 * before its bytes are used.
 */
import type { StoredObject } from "../../../src/protocol/job.ts";
import type { FrameTable } from "./archive_index.ts";
import type { Children } from "../programs/children.ts";
import { DamagedBytesError } from "../ports.ts";
import type { OpenedObject, StoredObjects } from "../jobs/stored_objects.ts";
import { FrameChecksum, HEADER_BYTES } from "../transforms/frames.ts";

/** Range of the uncompressed archive in bytes: from `from` up to, but not including, `to`. */
export interface Range {
  from: number;
  to: number;
}

/** Returns the ranges in order. Adjacent and overlapping ranges are joined. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** A sequence of adjacent frames of an archive. */
interface Stretch {
  /** Number of the first frame, counted from 0. `end` is one more than the number of the last frame. */
  first: number;
  end: number;
}

/** Maximum size of a yielded chunk, in bytes. */
const PIECE_BYTES = 256 * 1024;

/** Yields the bytes of ranges from {@link joinRanges}. A chunk is valid until the next one is requested. */
export type ReadRanges = (ranges: readonly Range[]) => AsyncIterable<Uint8Array>;

/**
 * Returns a function that reads parts of an archive. If the index has no frame table or no checksums,
 * verifies the whole archive first.
 *
 * @param table The frame table. If the table is null, each read unpacks the archive from its start.
 * @param say Writes a line of output.
 */
export async function openRanges(
  objects: StoredObjects,
  archive: StoredObject,
  table: FrameTable | null,
  children: Children,
  say: (line: string) => void,
): Promise<ReadRanges> {
  if (table === null || table.checksums === null) {
    say(
      `The index of ${archive.name} is an old one, without checksums of its parts. Reading all of it first, to verify it`,
    );
    await objects.verify(archive);
  }
  const opened = await objects.open(archive);
  return (ranges) =>
    table === null ? readFromStart(opened, ranges, children) : readRanges(opened, table, ranges, children);
}

const DAMAGED = "the frames of the archive that hold the files do not unpack: they are damaged";

/**
 * Yields the bytes of the ranges, and reads only the frames that contain them. Compares each frame with the
 * table before yielding the frame's bytes. Rejects if a frame is damaged, or belongs to another archive.
 */
export async function* readRanges(
  archive: OpenedObject,
  table: FrameTable,
  ranges: readonly Range[],
  children: Children,
): AsyncIterable<Uint8Array> {
  const stretches = stretchesOf(table, ranges);
  const cut = new RangeCutter(positionsInStretches(table, stretches, ranges));
  const held = new HeldFrame(table.uncompressed);
  for await (const chunk of unpacked(readStretches(archive, table, stretches), children)) {
    for (const piece of held.push(chunk)) yield* cut.push(piece);
  }
  for (const piece of held.release()) yield* cut.push(piece);
  if (!cut.isDone) throw new DamagedBytesError(DAMAGED);
}

/** Yields the bytes of the ranges by unpacking a verified archive from its start, without a frame table. */
async function* readFromStart(
  archive: OpenedObject,
  ranges: readonly Range[],
  children: Children,
): AsyncIterable<Uint8Array> {
  const cut = new RangeCutter(ranges);
  for await (const chunk of unpacked(archive.read(0, archive.size), children)) yield* cut.push(chunk);
  if (!cut.isDone) throw new DamagedBytesError(DAMAGED);
}

async function* unpacked(
  compressed: AsyncIterable<Uint8Array>,
  children: Children,
): AsyncIterable<Uint8Array> {
  await using programs = children.nest();
  const zstd = programs.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: () => {},
  });
  const fed = zstd.feed(compressed);
  fed.catch(programs.stop);
  yield* zstd.stdout!;
  await fed;
  const { code } = await zstd.exited;
  if (code !== 0) throw new DamagedBytesError(DAMAGED);
}

function stretchesOf({ uncompressed }: FrameTable, ranges: readonly Range[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { from, to } of ranges) {
    const first = Math.floor(from / uncompressed);
    const end = Math.ceil(to / uncompressed);
    const last = stretches.at(-1);
    if (last !== undefined && first <= last.end) last.end = Math.max(last.end, end);
    else stretches.push({ first, end });
  }
  return stretches;
}

/**
 * Yields the compressed bytes of frames. Leaves out the header in front of each frame, because no checksum
 * covers the header.
 */
async function* readStretches(
  archive: OpenedObject,
  table: FrameTable,
  stretches: readonly Stretch[],
): AsyncIterable<Uint8Array> {
  let at = 0;
  let frame = 0;
  for (const { first, end } of stretches) {
    for (; frame < first; frame++) at += HEADER_BYTES + table.compressed[frame]!;
    const from = at;
    for (; frame < end; frame++) at += HEADER_BYTES + table.compressed[frame]!;
    yield* expectedFrames(archive.read(from, at), table, { first, end });
  }
}

/**
 * Yields frames whose checksum matches the table. The end of a frame is yielded only after the comparison, so
 * the decompressor never completes a wrong frame.
 */
async function* expectedFrames(
  stored: AsyncIterable<Uint8Array>,
  { compressed, checksums }: FrameTable,
  { first, end }: Stretch,
): AsyncIterable<Uint8Array> {
  const checksum = new FrameChecksum();
  let frame = first;
  /** Number of bytes of the current frame and its header that are still to be read. */
  let left = HEADER_BYTES + compressed[frame]!;
  for await (const chunk of stored) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + left);
      const bytes = piece.subarray(Math.max(0, left - compressed[frame]!));
      at += piece.length;
      left -= piece.length;
      checksum.push(bytes, left);
      if (left === 0) {
        if (checksums !== null && String(checksum) !== checksums[frame]) {
          throw new DamagedBytesError(
            `frame ${frame + 1} of the archive is not the one in its index`,
          );
        }
        left = HEADER_BYTES + (compressed[++frame] ?? 0);
      }
      yield bytes;
    }
  }
  if (frame < end) throw new DamagedBytesError(`the archive ends in frame ${frame + 1}`);
}

/**
 * Holds back the decompressed bytes of a frame until zstd has verified the frame. zstd writes all bytes of a
 * frame and only then verifies its checksum. If the checksum is wrong, zstd writes no byte of the next frame.
 * So the first byte of the next frame shows that the checksum was right.
 */
class HeldFrame {
  readonly #buffer: Uint8Array;
  #length = 0;

  /** @param size Size of an uncompressed frame, in bytes. The last frame might be shorter. */
  constructor(size: number) {
    this.#buffer = new Uint8Array(size);
  }

  *push(chunk: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < chunk.length;) {
      if (this.#length === this.#buffer.length) yield* this.release();
      const piece = chunk.subarray(at, at + this.#buffer.length - this.#length);
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
      at += piece.length;
    }
  }

  *release(): Iterable<Uint8Array> {
    const bytes = this.#buffer.subarray(0, this.#length);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
    this.#length = 0;
  }
}

/**
 * Converts ranges of the unpacked archive to ranges of the decompressor's output. The decompressor unpacks
 * only the frames of `stretches`, so its output lacks all other frames.
 */
function positionsInStretches(
  { uncompressed }: FrameTable,
  stretches: readonly Stretch[],
  ranges: readonly Range[],
): Range[] {
  const positions: Range[] = [];
  let before = 0;
  let next = 0;
  for (const { first, end } of stretches) {
    const start = first * uncompressed;
    for (; next < ranges.length && ranges[next]!.from < end * uncompressed; next++) {
      const { from, to } = ranges[next]!;
      positions.push({ from: before + from - start, to: before + to - start });
    }
    before += (end - first) * uncompressed;
  }
  return positions;
}

/** Cuts ranges out of a stream of bytes. */
class RangeCutter {
  #at = 0;
  #next = 0;

  constructor(private readonly ranges: readonly Range[]) {}

  /**
   * Whether all ranges are complete. If the last range has no end, it counts as complete after its first
   * byte.
   */
  get isDone(): boolean {
    const left = this.ranges.slice(this.#next);
    return left.length === 0 || (left.length === 1 && left[0]!.to === Infinity && left[0]!.from < this.#at);
  }

  *push(chunk: Uint8Array): Iterable<Uint8Array> {
    const end = this.#at + chunk.length;
    for (; this.#next < this.ranges.length; this.#next++) {
      const { from, to } = this.ranges[this.#next]!;
      if (from >= end) break;
      yield chunk.subarray(Math.max(from - this.#at, 0), Math.min(to - this.#at, chunk.length));
      if (to > end) break;
    }
    this.#at = end;
  }
}
