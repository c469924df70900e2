/**
 * Parses the index of an archive. An index is tar's listing of the archive, followed by a table of the
 * archive's zstd frames. With both, a member can be found without reading the archive from its start.
 *
 *     block N: <mode> <uid>/<gid> <size> <UTC time> <name>     one line for each member, as tar prints it
 *     frames <bytes of a frame, uncompressed> <bytes of the archive, uncompressed>
 *     <bytes of a frame, compressed> <its checksum>            one line for each frame
 *
 * The listing and the table are two zstd frames of the index, one after the other. `zstd -d` unpacks both.
 *
 * The control plane has stored the SHA-256 of the index. This SHA-256 proves that the index is right. The
 * index proves that each frame of the archive is right. Without these two proofs, parts of another archive
 * could pass as parts of this archive.
 *
 * zstd writes a checksum at the end of each frame. The table contains these checksums, so they cost no
 * processor time. A SHA-256 of each frame would cost a tenth of a run's processor time, as much as the
 * SHA-256 of the whole archive.
 *
 * The 12 bytes in front of a frame contain the frame's size. This size does not include these 12 bytes. If
 * the archive is encrypted, the table contains sizes before encryption. The first releases wrote no
 * checksums, or a SHA-256 in place of each checksum.
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

/** One entry of an archive. */
export interface Member {
  /** Offset of the member's first header from the start of the archive, in blocks of 512 bytes. */
  block: number;
  /**
   * Type of the member. `unknown` if only `block` and `name` could be parsed. All other fields are then
   * empty.
   */
  type: MemberType | "unknown";
  /** Permissions as `ls` prints them: `rwxr-xr-x`. */
  mode: string;
  uid: number;
  gid: number;
  /** Size of the content in bytes; 0 for a member without content. */
  size: number;
  /**
   * Modification time as ISO 8601 in UTC, with up to nine decimals of a second. Years after 9999 or before 0
   * have a sign and six digits. Null if the time is outside the range of `Date`.
   */
  modifiedAt: string | null;
  /**
   * Path relative to the source's root, without `./`; empty for the root itself. Each character stands for
   * one byte, because names can contain any bytes.
   */
  name: string;
  /** Target of a symbolic link, or the name of the member that a hard link links to. Null for other types. */
  linkTarget: string | null;
}

export interface FrameTable extends Frames {
  /** Size of the whole uncompressed archive in bytes. */
  size: number;
}

/** Returns the text of a frame table. In an index, this text follows the listing. */
export function frameTableText(frames: Frames, size: number): string {
  const { uncompressed, compressed, checksums } = frames;
  const lines = checksums === null
    ? compressed
    : compressed.map((bytes, frame) => `${bytes} ${checksums[frame]}`);
  return `frames ${uncompressed} ${size}\n${lines.join("\n")}\n`;
}

/** The lines of an index that are neither a member nor part of the frame table. */
export interface UnreadableLines {
  count: number;
  /** The beginning of the first unreadable line. */
  first: string;
}

/** Returns a warning about unreadable lines, for the run's output. */
export function describeUnreadableLines(name: string, { count, first }: UnreadableLines): string {
  const lines = count === 1 ? "a line that" : `${count} lines that`;
  return `${name} has ${lines} can't be read: ${oneLine(JSON.stringify(first))}. Their members are in the ` +
    "archive, and a restore of the whole archive includes them, but no listing shows them.";
}

/**
 * Parses an index line by line. Skips lines that cannot be parsed, and counts them. Such a line does not mean
 * that the backup is damaged: the lines come from tar's listing, which is not part of the archive. The
 * index's SHA-256 shows whether the index was altered.
 */
export class IndexParser {
  #table: FrameTable & { checksums: string[] } | null = null;
  #isTableInvalid = false;
  #unreadable: UnreadableLines | null = null;

  /**
   * Parses one line and returns its member. Returns null for a line of the frame table and for an unreadable
   * line.
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

  /** Whether the lines so far belong to the listing, not to the frame table. */
  get isInListing(): boolean {
    return this.#table === null;
  }

  /**
   * Returns the frame table. Call this only after the last line was parsed. Returns null if the index has no
   * valid frame table. Indexes of the first releases have no frame table.
   */
  table(): FrameTable | null {
    const table = this.#table;
    if (table === null || this.#isTableInvalid || table.uncompressed > MAX_FRAME_BYTES) return null;
    const { compressed, checksums } = table;
    if (Math.ceil(table.size / table.uncompressed) !== compressed.length) return null;
    return checksums.length === compressed.length ? table : { ...table, checksums: null };
  }

  /** The lines that could not be parsed; null if there are none. */
  get unreadable(): UnreadableLines | null {
    return this.#unreadable;
  }

  #frame(table: FrameTable & { checksums: string[] }, text: string): void {
    const frame = /^(\d+)(?: (?:([0-9a-f]{8})|[0-9a-f]{64}))?$/.exec(text);
    if (frame === null) {
      this.#isTableInvalid = true;
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

const MEMBER_LINE = /^block (\d+): ([^"]*)("(?:[^"\\]|\\.)*")(?: (?:->|link to) ("(?:[^"\\]|\\.)*"))?$/;
const MEMBER_ATTRIBUTES = /^(\S)(\S{9})\S? +(\d+)\/(\d+) +(\d+|\d+,\d+) (\S+(?: \S+)?) *$/;

function parseMember(text: string): Member | null {
  const line = MEMBER_LINE.exec(text);
  if (line === null) return null;
  const [, block, head, name, target] = line;
  const at = { block: Number(block), name: insideRoot(unquote(name!)) };
  const match = MEMBER_ATTRIBUTES.exec(head!);
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
    modifiedAt: toIso(time!),
    linkTarget: linkTarget !== null && type === "hardlink" ? insideRoot(linkTarget) : linkTarget,
  };
}

const DATE = /^(-?)(\d+)(-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/;
/** The last year that a `Date` covers completely, both after and before Christ. */
const MAX_YEAR = 271_820;

/**
 * Converts a time of tar's listing to ISO 8601. tar prints years without leading zeros. Returns null if
 * `Date` cannot hold the time. Also returns null if tar printed a number of seconds, as it does for a time
 * that the system cannot represent as a date.
 */
function toIso(time: string): string | null {
  const date = DATE.exec(time);
  if (date === null) return null;
  const [, sign, year, day, hour] = date;
  if (Number(year) > MAX_YEAR) return null;
  const isPlain = sign === "" && Number(year) <= 9999;
  const written = isPlain ? year!.padStart(4, "0") : `${sign || "+"}${year!.padStart(6, "0")}`;
  return `${written}${day}T${hour}Z`;
}

/** Returns a name without `./`. Throws if the name would lead out of the restore directory. */
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

/**
 * Returns the name that GNU tar quoted with `--quoting-style=c`. The quoted form is a C string. Bytes that
 * are not UTF-8 are written as octal numbers.
 */
export function unquote(quoted: string): string {
  return byteString(quoted.slice(1, -1)).replace(
    /\\([0-7]{3}|.)/g,
    (_, code: string) => code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : ESCAPES[code] ?? code,
  );
}
