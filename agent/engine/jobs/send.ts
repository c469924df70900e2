/** Sends bytes of a backup for a download: a stored object, or one file from an archive. */
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
  /** Total size of the object or file, in bytes. */
  readonly size: number;
  /** Number of bytes to send. */
  readonly length: number;
  /**
   * Returns the bytes to send. Each call starts from the beginning. A chunk is valid until the next one is
   * requested.
   */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Transmits the bytes. Calls `bytes()` again for each retry. */
export type Transmit = (bytes: BytesToSend) => Promise<void>;

/** How long the agent keeps trying to reach a download's destination after a failure, in milliseconds. */
const DESTINATION_TIMEOUT = 30_000;

/**
 * Sends the requested bytes and returns the outcome. Rejects with a `BackupDamagedError` if the stored bytes
 * were altered. If the bytes can't be sent for another reason, rejects with another `RunFailedError` that
 * names the backup.
 */
export async function sendFromBackup(
  request: BackupSend,
  transmit: Transmit,
  clock: Clock,
  signal: AbortSignal,
): Promise<BackupSendResult> {
  const { backup, signed } = request;
  const downloads = new PresignedDownloads(signed);
  await using children = new Children(clock, signal);
  try {
    const limits = requestLimits(DESTINATION_TIMEOUT);
    const ports = { clock, signal, output: null, uploads: null, downloads, relay: null, limits };
    const destination = await openDestination(backup.destination, ports);
    try {
      return await send(
        request,
        destination,
        new StoredObjects(backup, destination, children),
        transmit,
        children,
      );
    } finally {
      await destination.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = `Cannot send from backup ${backup.id}: ${oneLine((error as Error).message)}`;
    if (error instanceof BackupDamagedError) throw new BackupDamagedError(message, error.damage);
    throw new RunFailedError(message, { cause: error });
  }
}

async function send(
  { backup, what, range: requested }: BackupSend,
  destination: Destination,
  objects: StoredObjects,
  transmit: Transmit,
  children: Children,
): Promise<BackupSendResult> {
  if (what.type === "stored") return await sendStored(backup, what.name, requested, destination, transmit);
  if (what.type === "object") {
    const object = backup.objects.find(({ name }) => name === what.name);
    if (object === undefined) return { outcome: "missing" };
    const range = resolveRange(requested, object.size);
    if (range === null) return { outcome: "unsatisfiable", size: object.size };
    await transmit(bytesOf(object.size, range, ({ from, to }) => destination.read(object.name, from, to)));
    return { outcome: "sent" };
  }
  const found = await findFile(objects, what.path);
  if (found === null) return { outcome: "missing" };
  const { member } = found;
  if (member.type !== "file") return { outcome: "no_file", type: member.type };
  const range = resolveRange(requested, member.size);
  if (range === null) return { outcome: "unsatisfiable", size: member.size };
  const archive = objects.archives()[0]!;
  const open = () => openRanges(objects, archive, found.table, children, () => {});
  const read = await open().catch(async (error) => {
    throw await objects.diagnosePart(archive, error, async () => void await open());
  });
  const parts: ReadRanges = (ranges) => readChecked(objects, archive, () => read(ranges));
  await transmit(bytesOf(member.size, range, (inside) => bytesOfFile(found, parts, inside, children)));
  return { outcome: "sent" };
}

/**
 * Yields the bytes that `read` returns. If `read` finds damaged bytes, reads the bytes a second time. If the
 * second read finds damage too, the stored object is damaged. Otherwise only the first transfer failed.
 * Rejects in both cases.
 */
async function* readChecked(
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

/**
 * Yields a range of a file's bytes. Normally reads only the frames that contain the range. Tar would have to
 * unpack the file from its beginning up to the range, so tar is used only in these cases:
 * - The range is near the file's start.
 * - The archive has no frame table.
 * - The layout of the member is unknown.
 */
async function* bytesOfFile(
  { member, archiveRange, table }: FoundMember,
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
  yield* extractContent(read([archiveRange]), range, children);
}

function bytesOf(
  size: number,
  range: ByteRange,
  read: (range: ByteRange) => AsyncIterable<Uint8Array>,
): BytesToSend {
  return { size, length: range.to - range.from, bytes: () => read(range) };
}

/**
 * Sends an object exactly as it is stored, and returns the outcome. Reads one byte before sending. If this
 * read fails, the error can still be reported. After the transfer has begun, an error would look like a
 * broken download.
 */
async function sendStored(
  { objects }: BackupSend["backup"],
  name: string,
  requested: BackupSend["range"],
  destination: Destination,
  transmit: Transmit,
): Promise<BackupSendResult> {
  if (!objects.some((object) => object.name === name)) return { outcome: "missing" };
  let size: number;
  let range: ByteRange;
  try {
    size = await destination.size(name);
    const resolved = resolveRange(requested, size);
    if (resolved === null) return { outcome: "unsatisfiable", size };
    range = resolved;
    for await (const _ of destination.read(name, range.from, Math.min(range.from + 1, range.to)));
  } catch (error) {
    if (error instanceof ObjectMissingError) return { outcome: "missing" };
    if (!(error instanceof RunFailedError)) throw error;
    return { outcome: "unreadable", message: oneLine(error.message).slice(0, 4096) };
  }
  await transmit(bytesOf(size, range, ({ from, to }) => destination.read(name, from, to)));
  return { outcome: "sent" };
}

interface FoundMember {
  member: Member;
  archiveRange: Range;
  table: FrameTable | null;
}

/**
 * Returns the file with this path in the archive; null if there is none. If the path is a hard link, returns
 * the file that the link refers to.
 */
async function findFile(objects: StoredObjects, path: string): Promise<FoundMember | null> {
  const found = await findMember(objects, byteString(path)) ??
    await findMember(objects, nameFromDisplay(path));
  if (found?.member.type !== "hardlink") return found;
  return await findMember(objects, found.member.linkTarget!);
}

async function findMember(objects: StoredObjects, name: string): Promise<FoundMember | null> {
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index");
  let found: { member: Member; archiveRange: Range } | null = null;
  const { table } = await readMembers((take) => objects.lines(index, take), (member, archiveRange) => {
    if (member.name === name) found = { member, archiveRange };
  });
  return found === null ? null : { ...found as { member: Member; archiveRange: Range }, table };
}

/**
 * Extracts a member with tar, and yields a range of its contents. tar handles the member's headers and the
 * holes of sparse files.
 */
async function* extractContent(
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
  const feeding = child.feed(member);
  feeding.catch(programs.stop);
  let at = 0;
  for await (const chunk of child.stdout!) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, chunk.length);
    at += chunk.length;
    if (start < end) yield chunk.subarray(start, end);
  }
  await feeding;
  const { code } = await child.exited;
  if (code !== 0) throw new RunFailedError(`tar failed: ${oneLine(messages.join(" "))}`);
}
