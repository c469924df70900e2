/** Parts of an archive by reading only the zstd frames they are in. */
import type { FrameTable } from "./archive_index.ts";
import type { Children } from "./children.ts";
import { RunFailedError } from "./ports.ts";
import type { OpenedObject } from "./stored_objects.ts";
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

/** The bytes of joined ranges, one behind the other; a chunk may be used until the next is asked for. */
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
    yield* archive.read(from, at);
  }
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
