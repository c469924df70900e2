/** Bytes of a backup on their way to whoever downloads them: an object as stored, or one file from inside. */
import type { BackupSend, BackupSendResult } from "../../../src/protocol/browsing.ts";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { type ByteRange, resolveRange } from "../../../src/domain/byte_range.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import type { FrameTable, Member } from "../archive/archive_index.ts";
import { openRanges, type Range, type ReadRanges } from "../archive/archive_ranges.ts";
import { byteString } from "../archive/bytes.ts";
import { Children } from "../programs/children.ts";
import { requestLimits } from "../destinations/limits.ts";
import { openDestination } from "../destinations/destinations.ts";
import { PresignedDownloads } from "../presigned_downloads.ts";
import { oneLine } from "../programs/line.ts";
import { BackupDamagedError, type Destination, ObjectMissingError, RunFailedError } from "../ports.ts";
import { nameFromDisplay } from "../archive/display_name.ts";
import { StoredObjects } from "./stored_objects.ts";
import { sparseBytes } from "../archive/sparse_map.ts";
import { contentLayout, MAX_HEADER_BYTES } from "../archive/tar_headers.ts";
import { readMembers } from "../restore_files/selection.ts";

export interface BytesToSend {
  /** Of all there is, whatever part of it is sent. */
  readonly size: number;
  /** Of what is sent. */
  readonly length: number;
  /** Begins anew with each call; a chunk may be used until the next is asked for. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Carries the bytes away; asks for them anew where it has to begin again. */
export type Carry = (bytes: BytesToSend) => Promise<void>;

/** How long a download waits for a destination that is away. Milliseconds. */
const PATIENCE = 30_000;

/**
 * Rejects with a `RunFailedError` that names the backup, a `BackupDamagedError` where its bytes are not those
 * that were stored.
 */
export async function sendFromBackup(
  request: BackupSend,
  carry: Carry,
  clock: Clock,
  signal: AbortSignal,
): Promise<BackupSendResult> {
  const { backup, signed } = request;
  const downloads = new PresignedDownloads(signed);
  await using children = new Children(clock, signal);
  try {
    const limits = requestLimits(PATIENCE);
    const ports = { clock, signal, output: null, uploads: null, downloads, relay: null, limits };
    const destination = await openDestination(backup.destination, ports);
    try {
      return await send(
        request,
        destination,
        new StoredObjects(backup, destination, children),
        carry,
        children,
      );
    } finally {
      await destination.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const told = `Cannot send from backup ${backup.id}: ${oneLine((error as Error).message)}`;
    if (error instanceof BackupDamagedError) throw new BackupDamagedError(told, error.damage);
    throw new RunFailedError(told, { cause: error });
  }
}

async function send(
  { backup, what, range: asked }: BackupSend,
  destination: Destination,
  objects: StoredObjects,
  carry: Carry,
  children: Children,
): Promise<BackupSendResult> {
  if (what.type === "stored") return await sendStored(backup, what.name, asked, destination, carry);
  if (what.type === "object") {
    const object = backup.objects.find(({ name }) => name === what.name);
    if (object === undefined) return { outcome: "missing" };
    const range = resolveRange(asked, object.size);
    if (range === null) return { outcome: "unsatisfiable", size: object.size };
    await carry(bytesOf(object.size, range, ({ from, to }) => destination.read(object.name, from, to)));
    return { outcome: "sent" };
  }
  const place = await find(objects, what.path);
  if (place === null) return { outcome: "missing" };
  const { member } = place;
  if (member.type !== "file") return { outcome: "no_file", type: member.type };
  const range = resolveRange(asked, member.size);
  if (range === null) return { outcome: "unsatisfiable", size: member.size };
  const archive = objects.archives()[0]!;
  const open = () => openRanges(objects, archive, place.table, children, () => {});
  const read = await open().catch(async (error) => {
    throw await objects.diagnosePart(archive, error, async () => void await open());
  });
  const parts: ReadRanges = (ranges) => sound(objects, archive, () => read(ranges));
  await carry(bytesOf(member.size, range, (inside) => bytesOfFile(place, parts, inside, children)));
  return { outcome: "sent" };
}

/** The same bytes. One that is wrong is read again, to tell damage from a fault of the way. */
async function* sound(
  objects: StoredObjects,
  archive: StoredObject,
  read: () => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    yield* read();
  } catch (error) {
    throw await objects.diagnosePart(archive, error, async () => {
      for await (const _ of read());
    });
  }
}

/** A range far into a file begins at the frame that holds it; tar would unpack the file from its start. */
async function* bytesOfFile(
  { member, archiveRange, table }: Place,
  read: ReadRanges,
  range: ByteRange,
  children: Children,
): AsyncIterable<Uint8Array> {
  if (table !== null && range.from >= table.uncompressed) {
    const { from, to } = archiveRange;
    const layout = await contentLayout(
      read([{ from, to: Math.min(to, from + MAX_HEADER_BYTES) }]),
      member.size,
    );
    if (layout !== null) {
      const start = from + layout.offset;
      const stored = (from: number, to: number) => read([{ from: start + from, to: start + to }]);
      if (layout.segments === null) return yield* stored(range.from, range.to);
      return yield* sparseBytes(layout.segments, range, stored);
    }
  }
  yield* content(read([archiveRange]), range, children);
}

function bytesOf(
  size: number,
  range: ByteRange,
  read: (range: ByteRange) => AsyncIterable<Uint8Array>,
): BytesToSend {
  return { size, length: range.to - range.from, bytes: () => read(range) };
}

/** What can't be read is told before a byte is sent: it would only look like a cut else. */
async function sendStored(
  { objects }: BackupSend["backup"],
  name: string,
  asked: BackupSend["range"],
  destination: Destination,
  carry: Carry,
): Promise<BackupSendResult> {
  if (!objects.some((object) => object.name === name)) return { outcome: "missing" };
  let size: number;
  let range: ByteRange;
  try {
    size = await destination.size(name);
    const resolved = resolveRange(asked, size);
    if (resolved === null) return { outcome: "unsatisfiable", size };
    range = resolved;
    for await (const _ of destination.read(name, range.from, Math.min(range.from + 1, range.to)));
  } catch (error) {
    if (error instanceof ObjectMissingError) return { outcome: "missing" };
    if (!(error instanceof RunFailedError)) throw error;
    return { outcome: "unreadable", message: oneLine(error.message).slice(0, 4096) };
  }
  await carry(bytesOf(size, range, ({ from, to }) => destination.read(name, from, to)));
  return { outcome: "sent" };
}

interface Place {
  member: Member;
  archiveRange: Range;
  table: FrameTable | null;
}

/** A hard link's bytes are those of what it leads to. */
async function find(objects: StoredObjects, path: string): Promise<Place | null> {
  const place = await findMember(objects, byteString(path)) ??
    await findMember(objects, nameFromDisplay(path));
  if (place?.member.type !== "hardlink") return place;
  return await findMember(objects, place.member.linkTarget!);
}

async function findMember(objects: StoredObjects, name: string): Promise<Place | null> {
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index");
  let found: { member: Member; archiveRange: Range } | null = null;
  const { table } = await readMembers((take) => objects.lines(index, take), (member, archiveRange) => {
    if (member.name === name) found = { member, archiveRange };
  });
  return found === null ? null : { ...found as { member: Member; archiveRange: Range }, table };
}

/** tar takes the member apart: its headers, and the holes of a sparse file. */
async function* content(
  member: AsyncIterable<Uint8Array>,
  { from, to }: ByteRange,
  children: Children,
): AsyncIterable<Uint8Array> {
  const messages: string[] = [];
  await using programs = children.nest();
  const child = programs.spawn({ program: "tar", args: ["--extract", "--to-stdout", "--file=-"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: (line) => void messages.push(line.slice(0, 500)),
  });
  const fed = child.feed(member);
  fed.catch(programs.stop);
  let at = 0;
  for await (const chunk of child.stdout!) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, chunk.length);
    at += chunk.length;
    if (start < end) yield chunk.subarray(start, end);
  }
  await fed;
  const { code } = await child.exited;
  if (code !== 0) throw new RunFailedError(`tar failed: ${oneLine(messages.join(" "))}`);
}
