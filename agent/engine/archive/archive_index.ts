/**
 * Parses the index of an archive. An index is tar's listing of the archive, followed by a table of its zstd
 * frames. With both, a member can be found without reading the archive up to it.
 *
 *     block N: <mode> <uid>/<gid> <size> <UTC time> <name>     one line for each member, as tar prints it
 *     frames <bytes of a frame, uncompressed> <bytes of the archive, uncompressed>
 *     <bytes of a frame, compressed> <its checksum>            one line for each frame
 *
 * The SHA-256 that the control plane stored proves the index, and the index proves each frame. Without both,
 * parts of another archive could pass as parts of this one. The checksums are those at the end of the frames,
 * so they cost no processor time. A SHA-256 of each frame would cost as much as that of the whole archive, a
 * tenth of a run's processor time.
 *
 * The size of a frame excludes the 12 bytes before it that hold its size. In an encrypted archive, it is the
 * size before encryption. The first indexes had no checksum, or a SHA-256 in its place. The listing and the
 * table are separate zstd frames, one after the other: `zstd -d` unpacks both.
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

/** Entry of an archive. */
export interface Member {
  /** Offset of the member's first header from the start of the archive, in blocks of 512 bytes. */
  block: number;
  /** `unknown` if only the block and the name of the line can be parsed: all other fields are then empty. */
  type: MemberType | "unknown";
  /** Permissions as `ls` prints them: `rwxr-xr-x`. */
  mode: string;
  uid: number;
  gid: number;
  /** Bytes; 0 for a member without content. */
  size: number;
  /**
   * ISO 8601 UTC, with up to nine decimals of a second. Years after 9999 or before 0 have a sign and six
   * digits. Null if the time is outside the range of `Date`.
   */
  modifiedAt: string | null;
  /**
   * Path relative to the source's root, without `./`; empty for the root itself. One character for each byte,
   * because names may contain any bytes.
   */
  name: string;
  /** Target of a symbolic link, or the other member's name for a hard link; null for other types. */
  linkTarget: string | null;
}

export interface FrameTable extends Frames {
  /** Bytes of the whole archive, uncompressed. */
  size: number;
}

/** Returns the text of a frame table, which follows the listing in an index. */
export function frameTableText(frames: Frames, size: number): string {
  const { uncompressed, compressed, checksums } = frames;
  const lines = checksums === null
    ? compressed
    : compressed.map((bytes, frame) => `${bytes} ${checksums[frame]}`);
  return `frames ${uncompressed} ${size}\n${lines.join("\n")}\n`;
}

/** Lines of an index that are not members and cannot be parsed. */
export interface UnreadableLines {
  count: number;
  /** Text of the first of these lines, truncated. */
  first: string;
}

/** Returns a warning for the run's output. */
export function describeUnreadableLines(name: string, { count, first }: UnreadableLines): string {
  const lines = count === 1 ? "a line that" : `${count} lines that`;
  return `${name} has ${lines} can't be read: ${oneLine(JSON.stringify(first))}. Their members are in the ` +
    "archive, and a restore of the whole archive includes them, but no listing shows them.";
}

/**
 * Parses an index line by line. A line that cannot be parsed is counted, and the other lines are still used.
 * tar's listing of a member is not part of the archive. An index with the right SHA-256 is as it was stored.
 */
export class IndexParser {
  #table: FrameTable & { checksums: string[] } | null = null;
  #isTableInvalid = false;
  #unreadable: UnreadableLines | null = null;

  /**
   * Parses a line. Returns its member, or null for a line of the frame table or one that cannot be parsed.
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

  /** Whether the frame table has not begun yet. */
  get isInListing(): boolean {
    return this.#table === null;
  }

  /**
   * Returns the frame table; call it after the last line. Returns null if the index has no valid table. The
   * first indexes had none.
   */
  table(): FrameTable | null {
    const table = this.#table;
    if (table === null || this.#isTableInvalid || table.uncompressed > MAX_FRAME_BYTES) return null;
    const { compressed, checksums } = table;
    if (Math.ceil(table.size / table.uncompressed) !== compressed.length) return null;
    return checksums.length === compressed.length ? table : { ...table, checksums: null };
  }

  /** Lines that could not be parsed; null if there are none. */
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
/** Last year that a `Date` covers fully, after or before Christ. */
const MAX_YEAR = 271_820;

/**
 * Converts a time of tar's listing. tar prints years without leading zeros, and prints seconds if the system
 * cannot represent the time as a date.
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

/** Returns a name without `./`. Rejects a name that would lead out of the directory of a restore. */
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
 * Decodes a name quoted with GNU tar's `--quoting-style=c`: a C string, with bytes that are not UTF-8 in
 * octal.
 */
export function unquote(quoted: string): string {
  return byteString(quoted.slice(1, -1)).replace(
    /\\([0-7]{3}|.)/g,
    (_, code: string) => code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : ESCAPES[code] ?? code,
  );
}
