/** Parses the headers of one member of a pax archive (POSIX.1-2017, pax, "ustar Interchange Format"). */
import { fills, readSparseMap, type Segment } from "./sparse_map.ts";

const BLOCK_BYTES = 512;
/**
 * Maximum size in bytes of a member's headers that this module parses. The headers contain a path, extended
 * attributes and the map of a sparse file. Only tar can extract members with longer headers.
 */
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

/** The position of a member's content in the archive. */
export interface ContentLayout {
  /** Number of bytes from the member's first header to the first byte of its content. */
  offset: number;
  /**
   * Stored parts of a sparse file; null for a file that is not sparse. The parts follow each other in the
   * archive.
   */
  segments: Segment[] | null;
}

/**
 * Returns where the content of a regular file is. Returns null if only tar can extract the member. This is
 * the case if the headers are of an unsupported form, or if the content is not `size` bytes long.
 *
 * @param bytes The archive from the member's first header on.
 */
export async function contentLayout(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
): Promise<ContentLayout | null> {
  const input = new Blocks(bytes);
  try {
    let extended: Record<string, string> = {};
    for (;;) {
      const header = await input.take(BLOCK_BYTES);
      if (header === null || !isHeader(header)) return null;
      const type = String.fromCharCode(header[156]!);
      const headerSize = sizeOf(header);
      if (type === "0" || type === "\0") return await layoutOf(extended, headerSize, size, input);
      if (headerSize === null || (type !== "x" && type !== "L" && type !== "K")) return null;
      const data = await input.take(Math.ceil(headerSize / BLOCK_BYTES) * BLOCK_BYTES);
      if (data === null) return null;
      if (type === "x") extended = { ...extended, ...recordsOf(data.subarray(0, headerSize)) };
    }
  } finally {
    await input.close();
  }
}

async function layoutOf(
  extended: Record<string, string>,
  headerSize: number | null,
  size: number,
  input: Blocks,
): Promise<ContentLayout | null> {
  const stored = Number(extended.size ?? headerSize);
  if (!Object.keys(extended).some((key) => key.startsWith("GNU.sparse."))) {
    return stored === size ? { offset: input.offset, segments: null } : null;
  }
  const version = `${extended["GNU.sparse.major"]}.${extended["GNU.sparse.minor"]}`;
  if (version !== "1.0" || Number(extended["GNU.sparse.realsize"]) !== size) return null;
  const start = input.offset;
  const segments = await readSparseMap(() => input.take(BLOCK_BYTES));
  if (segments === null || !fills(segments, stored - (input.offset - start), size)) return null;
  return { offset: input.offset, segments };
}

/**
 * Returns whether the header's checksum is right. The checksum is the sum of all bytes of the header, with
 * the checksum field counted as blanks.
 */
function isHeader(header: Uint8Array): boolean {
  const checksum = octal(header.subarray(148, 156));
  const sum = header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
  return checksum === sum;
}

/** Returns the member's size from its header; null if the size is not in octal. */
function sizeOf(header: Uint8Array): number | null {
  return octal(header.subarray(124, 136));
}

function octal(field: Uint8Array): number | null {
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(String.fromCharCode(...field)) ?? [];
  return digits === undefined ? null : parseInt(digits, 8);
}

/** Returns the keys and values of records of the form `<length> <key>=<value>\n`. */
function recordsOf(data: Uint8Array): Record<string, string> {
  const records: Record<string, string> = {};
  const decoder = new TextDecoder();
  for (let at = 0; at < data.length;) {
    const [head, length] = /^(\d+) /.exec(decoder.decode(data.subarray(at, at + 20))) ?? [];
    if (head === undefined || Number(length) <= head.length) return records;
    const record = decoder.decode(data.subarray(at + head.length, at + Number(length) - 1));
    const equals = record.indexOf("=");
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at += Number(length);
  }
  return records;
}

/** Reads a stream of bytes in pieces of a given length. */
class Blocks {
  /** Number of bytes that were read. */
  offset = 0;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  /**
   * Returns the next `length` bytes. Returns null if fewer bytes are left or `MAX_HEADER_BYTES` would be
   * exceeded.
   */
  async take(length: number): Promise<Uint8Array | null> {
    if (this.offset + length > MAX_HEADER_BYTES) return null;
    const taken = new Uint8Array(length);
    for (let at = 0; at < length;) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#iterator.next();
        if (done) return null;
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, length - at);
      taken.set(piece, at);
      at += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    this.offset += length;
    return taken;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
