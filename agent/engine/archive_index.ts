/**
 * The index beside an archive: tar's own listing, then a table of the archive's zstd frames. With both, a member is found in the
 * archive without reading what comes before it, and checked: the index itself by the SHA-256 that was stored of it, each frame by the
 * index. Without that, parts of another archive could pass for this one's. The checksums are those that the frames end with, which
 * cost nothing to take; a SHA-256 of each would cost as much again as that of the whole, a tenth of a run's processor time.
 *
 *     block N: <mode> <uid>/<gid> <size> <UTC time> <name>     a line a member, as tar prints it
 *     frames <bytes of a frame, uncompressed> <bytes of the archive, uncompressed>
 *     <bytes of a frame, compressed> <its checksum>            a line a frame
 *
 * A frame is counted without the 12 bytes before it that tell its size, and, where the archive is encrypted, as it was before.
 * The first indexes had nothing or a SHA-256 in the checksum's place. The listing and the table are zstd frames of their own, one
 * behind the other: `zstd -d` gives both.
 */
import { byteString } from "./bytes.ts";
import { type Frames, MAX_FRAME_BYTES } from "./transforms/frames.ts";
import { RunFailedError } from "./ports.ts";

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
  type: MemberType;
  /** As `ls` shows it: `rwxr-xr-x`. */
  mode: string;
  uid: number;
  gid: number;
  /** Bytes; 0 for what has none. */
  size: number;
  /** ISO 8601 UTC, with up to nine digits of a second. */
  modifiedAt: string;
  /** From the source's root, without `./`; empty for the root itself. A character a byte: names may be any bytes. */
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

/** Reads an index line by line. */
export class IndexParser {
  #table: FrameTable & { checksums: string[] } | null = null;

  /** The member that the line tells of; null for a line of the frame table. */
  line(text: string): Member | null {
    if (this.#table !== null) {
      const frame = /^(\d+)(?: (?:([0-9a-f]{8})|[0-9a-f]{64}))?$/.exec(text);
      if (frame === null) throw unreadable(text);
      this.#table.compressed.push(Number(frame[1]));
      if (frame[2] !== undefined) this.#table.checksums.push(frame[2]);
      return null;
    }
    const frames = /^frames (\d+) (\d+)$/.exec(text);
    if (frames === null) return parseMember(text);
    this.#table = { uncompressed: Number(frames[1]), size: Number(frames[2]), compressed: [], checksums: [] };
    return null;
  }

  /** Call when all lines were read. */
  table(): FrameTable {
    const table = this.#table;
    if (table === null || Math.ceil(table.size / table.uncompressed) !== table.compressed.length) {
      throw new RunFailedError("Cannot read the index: it does not tell the archive's frames");
    }
    if (table.uncompressed > MAX_FRAME_BYTES) {
      throw new RunFailedError(`Cannot read the index: frames of ${table.uncompressed} bytes are too large`);
    }
    const { compressed, checksums } = table;
    if (checksums.length === 0) return { ...table, checksums: null };
    if (checksums.length !== compressed.length) {
      throw new RunFailedError("Cannot read the index: it does not tell each frame's checksum");
    }
    return table;
  }
}

const LINE =
  /^block (\d+): (\S)(\S{9})\S? +(\d+)\/(\d+) +(\d+|\d+,\d+) (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) +(".*)$/;
const NAMES = /^("(?:[^"\\]|\\.)*")(?: (?:->|link to) ("(?:[^"\\]|\\.)*"))?$/;

function parseMember(text: string): Member {
  const match = LINE.exec(text);
  const names = match === null ? null : NAMES.exec(match[9]!);
  const type = TYPES[match?.[2] as keyof typeof TYPES];
  if (match === null || names === null || type === undefined) throw unreadable(text);
  const [, block, , mode, uid, gid, size, date, time] = match;
  const target = names[2] === undefined ? null : unquote(names[2]);
  return {
    block: Number(block),
    type,
    mode: mode!,
    uid: Number(uid),
    gid: Number(gid),
    size: type === "file" ? Number(size) : 0,
    modifiedAt: `${date}T${time}Z`,
    name: insideRoot(unquote(names[1]!)),
    linkTarget: target !== null && type === "hardlink" ? insideRoot(target) : target,
  };
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

function unreadable(text: string): RunFailedError {
  return new RunFailedError(`Cannot read the index: it has the line ${JSON.stringify(text.slice(0, 200))}`);
}
