/** Parts of an archive by reading only the zstd frames they are in, each of which is proven before anything is made of it. */
import { createHash } from "node:crypto";
import type { StoredObject } from "../../src/protocol/job.ts";
import type { FrameTable } from "./archive_index.ts";
import type { Children } from "./children.ts";
import { RunFailedError } from "./ports.ts";
import type { OpenedObject, StoredObjects } from "./stored_objects.ts";
import { HEADER_BYTES } from "./transforms/frames.ts";

/** Uncompressed bytes [from, to) of the archive. */
export interface Range {
  from: number;
  to: number;
}

/** Sorted ranges, those that touch joined. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** A run of frames that lie behind each other. */
interface Stretch {
  /** The first frame and the one behind the last. */
  first: number;
  end: number;
}

/** What is handed on at once of a frame. */
const PIECE_BYTES = 256 * 1024;

/**
 * Opens an archive for {@link readRanges}. One whose index is of before frames had digests is read from end to end for that.
 *
 * @param say Takes a line of output.
 */
export async function openForRanges(
  objects: StoredObjects,
  archive: StoredObject,
  table: FrameTable,
  say: (line: string) => void,
): Promise<OpenedObject> {
  if (table.sha256 === null) {
    say(
      `The index of ${archive.name} is an old one, which can't prove a part of it. Reading all of it first, to prove it whole`,
    );
    await objects.prove(archive);
  }
  return await objects.open(archive);
}

/**
 * The bytes of joined ranges, one behind the other; a chunk may be used until the next is asked for. Rejects before a frame that is
 * another than the table tells of, as those of another archive are.
 */
export async function* readRanges(
  archive: OpenedObject,
  table: FrameTable,
  ranges: readonly Range[],
  children: Children,
): AsyncIterable<Uint8Array> {
  const stretches = stretchesOf(table, ranges);
  const child = children.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: () => {},
  });
  const fed = child.feed(readStretches(archive, table, stretches));
  fed.catch(() => void children.terminate());
  const cut = new Cutter(placesOf(table, stretches, ranges));
  for await (const chunk of child.stdout!) yield* cut.push(chunk);
  await fed;
  const { code } = await child.exited;
  if (code !== 0 || !cut.isDone) {
    throw new RunFailedError("Cannot unpack the frames of the archive that hold the files: they are damaged");
  }
}

/** Compressed bytes that {@link readRanges} reads. */
export function bytesToRead(table: FrameTable, ranges: readonly Range[]): number {
  const sizes = stretchesOf(table, ranges).flatMap(({ first, end }) => table.compressed.slice(first, end));
  return sizes.reduce((sum, size) => sum + HEADER_BYTES + size, 0);
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

/** The frames without what is before each, which nothing proves. */
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
    yield* provenFrames(archive.read(from, at), table, { first, end });
  }
}

/** Held back until it is whole and proven, which takes as much memory as the largest frame. */
async function* provenFrames(
  stored: AsyncIterable<Uint8Array>,
  { compressed, sha256 }: FrameTable,
  { first, end }: Stretch,
): AsyncIterable<Uint8Array> {
  let buffer = new Uint8Array(0);
  let frame = first;
  /** Bytes of the frame and its header so far. */
  let length = 0;
  for await (const chunk of stored) {
    for (let at = 0; at < chunk.length;) {
      const size = HEADER_BYTES + compressed[frame]!;
      if (buffer.length < size) buffer = new Uint8Array(size);
      const piece = chunk.subarray(at, at + size - length);
      buffer.set(piece, length);
      at += piece.length;
      length += piece.length;
      if (length < size) continue;
      const bytes = buffer.subarray(HEADER_BYTES, size);
      if (sha256 !== null && createHash("sha256").update(bytes).digest("hex") !== sha256[frame]) {
        throw new RunFailedError(`frame ${frame + 1} of the archive is not the one that its index tells of`);
      }
      for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
        yield bytes.subarray(from, from + PIECE_BYTES);
      }
      frame++;
      length = 0;
    }
  }
  if (frame < end) throw new RunFailedError(`the archive ends in frame ${frame + 1}`);
}

/** Where the ranges are in the unpacked stretches, which follow each other without what lies between them. */
function placesOf(
  { uncompressed }: FrameTable,
  stretches: readonly Stretch[],
  ranges: readonly Range[],
): Range[] {
  const places: Range[] = [];
  let before = 0;
  let next = 0;
  for (const { first, end } of stretches) {
    const start = first * uncompressed;
    for (; next < ranges.length && ranges[next]!.from < end * uncompressed; next++) {
      const { from, to } = ranges[next]!;
      places.push({ from: before + from - start, to: before + to - start });
    }
    before += (end - first) * uncompressed;
  }
  return places;
}

/** Cuts places out of a stream. */
class Cutter {
  #at = 0;
  #next = 0;

  constructor(private readonly places: readonly Range[]) {}

  get isDone(): boolean {
    return this.#next === this.places.length;
  }

  *push(chunk: Uint8Array): Iterable<Uint8Array> {
    const end = this.#at + chunk.length;
    for (; !this.isDone; this.#next++) {
      const { from, to } = this.places[this.#next]!;
      if (from >= end) break;
      yield chunk.subarray(Math.max(from - this.#at, 0), Math.min(to - this.#at, chunk.length));
      if (to > end) break;
    }
    this.#at = end;
  }
}
