/**
 * The index beside an archive: tar's own listing, then a table of the archive's zstd frames. With both, a
 * member is found in the archive without reading what comes before it, and checked: the index itself by the
 * SHA-256 that was stored of it, each frame by the index. Without that, parts of another archive could pass
 * for this one's. The checksums are those that the frames end with, which cost nothing to take; a SHA-256 of
 * each would cost as much again as that of the whole, a tenth of a run's processor time.
 *
 *     block N: <mode> <uid>/<gid> <size> <UTC time> <name>     a line a member, as tar prints it
 *     frames <bytes of a frame, uncompressed> <bytes of the archive, uncompressed>
 *     <bytes of a frame, compressed> <its checksum>            a line a frame
 *
 * A frame is counted without the 12 bytes before it that tell its size, and, where the archive is encrypted,
 * as it was before. The first indexes had nothing or a SHA-256 in the checksum's place. The listing and the
 * table are zstd frames of their own, one behind the other: `zstd -d` gives both.
 */
import { byteString } from "./bytes.ts";
import { oneLine } from "../programs/line.ts";
import { type Frames, MAX_FRAME_BYTES } from "../transforms/frames.ts";
import { RunFailedError } from "../ports.ts";

const TYPES = {
  "-": "file",
  d: "directory",
  l: "symlink",
  h: "hardlink",
  p: "fifo",
  c: "character_device",
  b: "block_device",
} as const;

export type MemberType = typeof TYPES[keyof typeof TYPES];

/** What the archive holds under one name. */
export interface Member {
  /** Of 512 bytes, from the archive's start to the member's first header. */
  block: number;
  /** `unknown` where the line tells its place and name only: the rest is then empty. */
  type: MemberType | "unknown";
  /** As `ls` shows it: `rwxr-xr-x`. */
  mode: string;
  uid: number;
  gid: number;
  /** Bytes; 0 for what has none. */
  size: number;
  /**
   * ISO 8601 UTC, with up to nine digits of a second; a year beyond 9999 or before 0 has a sign and six
   * digits. Null where it is further away than a `Date` reaches.
   */
  modifiedAt: string | null;
  /**
   * From the source's root, without `./`; empty for the root itself. A character a byte: names may be any
   * bytes.
   */
  name: string;
  /** Of a symbolic link its text, of a hard link the other member's name; else null. */
  linkTarget: string | null;
}

export interface FrameTable extends Frames {
  /** Bytes of the whole archive, uncompressed. */
  size: number;
}

/** The frame table as it follows a listing. */
export function frameTableText(frames: Frames, size: number): string {
  const { uncompressed, compressed, checksums } = frames;
  const lines = checksums === null
    ? compressed
    : compressed.map((bytes, frame) => `${bytes} ${checksums[frame]}`);
  return `frames ${uncompressed} ${size}\n${lines.join("\n")}\n`;
}

/** Lines of an index that tell no member. */
export interface UnreadableLines {
  count: number;
  /** The first of them, cut. */
  first: string;
}

/** A warning, for a person. */
export function describeUnreadable(name: string, { count, first }: UnreadableLines): string {
  const lines = count === 1 ? "a line that" : `${count} lines that`;
  return `${name} has ${lines} can't be read: ${
    oneLine(JSON.stringify(first))
  }. What they tell of is in the ` +
    "archive, and comes back with the whole of it, but is in no listing.";
}

/**
 * Reads an index line by line. A line that it can't read never keeps it from the others: tar's words for a
 * member are not the archive, and an index whose SHA-256 is right is as it was stored.
 */
export class IndexParser {
  #table: FrameTable & { checksums: string[] } | null = null;
  #isTableOdd = false;
  #unreadable: UnreadableLines | null = null;

  /**
   * The line's member; null for a line of the frame table, and for one that can't be read.
   */
  line(text: string): Member | null {
    if (this.#table !== null) {
      this.#frame(this.#table, text);
      return null;
    }
    const frames = /^frames (\d+) (\d+)$/.exec(text);
    if (frames === null) return this.#member(text);
    this.#table = { uncompressed: Number(frames[1]), size: Number(frames[2]), compressed: [], checksums: [] };
    return null;
  }

  /** Whether the last line was before the frame table. */
  get isInListing(): boolean {
    return this.#table === null;
  }

  /**
   * Call when all lines were read. Null where the index has no table, as the first ones, or one of no use.
   */
  table(): FrameTable | null {
    const table = this.#table;
    if (table === null || this.#isTableOdd || table.uncompressed > MAX_FRAME_BYTES) return null;
    const { compressed, checksums } = table;
    if (Math.ceil(table.size / table.uncompressed) !== compressed.length) return null;
    return checksums.length === compressed.length ? table : { ...table, checksums: null };
  }

  /** Null where there are none. */
  get unreadable(): UnreadableLines | null {
    return this.#unreadable;
  }

  #frame(table: FrameTable & { checksums: string[] }, text: string): void {
    const frame = /^(\d+)(?: (?:([0-9a-f]{8})|[0-9a-f]{64}))?$/.exec(text);
    if (frame === null) {
      this.#isTableOdd = true;
      return;
    }
    table.compressed.push(Number(frame[1]));
    if (frame[2] !== undefined) table.checksums.push(frame[2]);
  }

  #member(text: string): Member | null {
    const member = parseMember(text);
    if (member !== null) return member;
    this.#unreadable ??= { count: 0, first: text.slice(0, 200) };
    this.#unreadable.count++;
    return null;
  }
}

const PLACE = /^block (\d+): ([^"]*)("(?:[^"\\]|\\.)*")(?: (?:->|link to) ("(?:[^"\\]|\\.)*"))?$/;
const HEAD = /^(\S)(\S{9})\S? +(\d+)\/(\d+) +(\d+|\d+,\d+) (\S+(?: \S+)?) *$/;

function parseMember(text: string): Member | null {
  const place = PLACE.exec(text);
  if (place === null) return null;
  const [, block, head, name, target] = place;
  const at = { block: Number(block), name: insideRoot(unquote(name!)) };
  const match = HEAD.exec(head!);
  const type = TYPES[match?.[1] as keyof typeof TYPES];
  if (match === null || type === undefined || (type === "hardlink" && target === undefined)) {
    return {
      ...at,
      type: "unknown",
      mode: "---------",
      uid: 0,
      gid: 0,
      size: 0,
      modifiedAt: null,
      linkTarget: null,
    };
  }
  const [, , mode, uid, gid, size, time] = match;
  const linkTarget = target === undefined ? null : unquote(target);
  return {
    ...at,
    type,
    mode: mode!,
    uid: Number(uid),
    gid: Number(gid),
    size: type === "file" ? Number(size) : 0,
    modifiedAt: isoOf(time!),
    linkTarget: linkTarget !== null && type === "hardlink" ? insideRoot(linkTarget) : linkTarget,
  };
}

const DATE = /^(-?)(\d+)(-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/;
/** The years of a `Date`, but for the last on either side, which it has in part. */
const MAX_YEAR = 271_820;

/** tar tells a year without zeros before it, and a time that is no date on its system as seconds. */
function isoOf(time: string): string | null {
  const date = DATE.exec(time);
  if (date === null) return null;
  const [, sign, year, day, hour] = date;
  if (Number(year) > MAX_YEAR) return null;
  const isPlain = sign === "" && Number(year) <= 9999;
  const written = isPlain ? year!.padStart(4, "0") : `${sign || "+"}${year!.padStart(6, "0")}`;
  return `${written}${day}T${hour}Z`;
}

/** Refuses a name that would lead out of where the archive is unpacked. */
function insideRoot(name: string): string {
  const inside = name.replace(/^\.\//, "").replace(/\/+$/, "");
  if (inside.startsWith("/") || inside.split("/").includes("..")) {
    throw new RunFailedError(
      `Cannot trust the index: it names ${JSON.stringify(name)}, which leads out of the backup`,
    );
  }
  return inside === "." ? "" : inside;
}

const ESCAPES: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** GNU tar's `--quoting-style=c`: a C string, with every byte that is no UTF-8 as an octal number. */
export function unquote(quoted: string): string {
  return byteString(quoted.slice(1, -1)).replace(
    /\\([0-7]{3}|.)/g,
    (_, code: string) => code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : ESCAPES[code] ?? code,
  );
}
