/**
 * Reads and writes a file that lists the members of a backup, sorted by directory. A page of a directory can
 * be read without reading the rest of the file.
 *
 * Each record ends with NUL: `<directory> 01 <kind><name> 01 <JSON of the other fields>`. The kind is one of
 * these digits:
 * - 0: a directory. Directories come first, because the kind precedes the name.
 * - 1: any other member.
 * - 2: a member for which the index contains only the name.
 *
 * In names, 02 escapes the bytes 01 and 02.
 */
import { Buffer } from "node:buffer";
import type { BackupEntry } from "../../../src/protocol/browsing.ts";
import { IndexParser, type Member } from "./archive_index.ts";
import { bytesOf, byteString, latin1 } from "./bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { type ListedMember, listedMember, octalMode } from "./listed_member.ts";
import { displayName, foldName } from "./display_name.ts";
import { parentOf, type ReadLines } from "../restore_files/selection.ts";

/** Number of bytes that are buffered for one write, and number of bytes in one read. */
const BATCH_BYTES = 256 * 1024;
const READ_BYTES = 256 * 1024;
/**
 * The file position of every `STRIDE`-th entry of a directory is kept in memory, for at most `MAX_KEPT`
 * directories.
 */
const STRIDE = 1000;
const MAX_KEPT = 200;

const END = "\x01";
const ESCAPE = "\x02";

type Kind = "0" | "1" | "2";

export interface ListingPage {
  entries: BackupEntry[];
  total: number;
}

export interface PageChoice {
  offset: number;
  limit: number;
  /** Text that the names must contain, regardless of upper and lower case; null for all entries. */
  search: string | null;
}

interface DirectoryPositions {
  total: number;
  /**
   * Positions in the file at which every `STRIDE`th entry begins: entry 0, entry STRIDE, entry 2 · STRIDE, …
   */
  offsets: number[];
}

export class SortedListing {
  /**
   * Positions of entries in the file, by directory. The directory that was used last is at the end of the
   * map.
   */
  readonly #positions = new Map<string, DirectoryPositions>();

  private constructor(private readonly path: string, readonly size: number, readonly unreadable: number) {}

  /**
   * Writes the sorted listing of an index to a file. Returns the listing.
   *
   * @param directory Directory for the file and for temporary files.
   */
  static async write(directory: string, readLines: ReadLines, children: Children): Promise<SortedListing> {
    const [raw, path] = [`${directory}/raw`, `${directory}/sorted`];
    const parser = new IndexParser();
    await writeRecords(raw, async (put) => {
      await readLines((line) => {
        const member = parser.line(line);
        if (member !== null && member.name !== "") put(recordOf(member));
      });
    });
    const sort = ["-z", "-S", "32M", `--temporary-directory=${directory}`, "-o", path, raw];
    const { exit, messages } = await capture(children, {
      program: "sort",
      args: sort,
      env: { LC_ALL: "C" },
    });
    if (exit.code !== 0) {
      throw new Error(`Cannot sort a listing: ${messages[0] ?? `sort exited with ${exit.code}`}`);
    }
    await Deno.remove(raw);
    await Deno.chmod(path, 0o600);
    return new SortedListing(path, (await Deno.stat(path)).size, parser.unreadable?.count ?? 0);
  }

  /**
   * Returns a page of a directory; null if the backup has no such directory. The root directory always
   * exists.
   */
  async page(directory: string, choice: PageChoice): Promise<ListingPage & { unlisted: number } | null> {
    using file = await Deno.open(this.path);
    if (directory !== "" && await this.#find(file, directory, "0") === null) return null;
    const prefix = escaped(directory) + END;
    const [from, to] = [await this.#bound(file, prefix), await this.#bound(file, `${prefix}2`)];
    const end = await this.#bound(file, escaped(directory) + ESCAPE);
    let unlisted = this.unreadable;
    for await (const _ of records(file, to, end)) unlisted++;
    const page = choice.search === null
      ? await this.#slice(file, directory, { from, to }, choice)
      : await matching(file, { from, to }, choice);
    return { ...page, unlisted };
  }

  /**
   * Returns the member with this name; null if the backup has no such member, or if the member is a
   * directory.
   */
  async entry(name: string): Promise<BackupEntry | null> {
    using file = await Deno.open(this.path);
    const record = await this.#find(file, name, "1");
    return record === null ? null : entryOf(record);
  }

  async #find(file: Deno.FsFile, name: string, kind: Kind): Promise<string | null> {
    const prefix = keyOf(name, kind);
    const at = await this.#bound(file, prefix);
    for await (const { text } of records(file, at, this.size)) return text.startsWith(prefix) ? text : null;
    return null;
  }

  async #slice(
    file: Deno.FsFile,
    directory: string,
    { from, to }: { from: number; to: number },
    { offset, limit }: PageChoice,
  ): Promise<ListingPage> {
    const positions = this.#positions.get(directory) ?? await count(file, from, to);
    this.#keep(directory, positions);
    const entries: BackupEntry[] = [];
    const start = positions.offsets[Math.floor(offset / STRIDE)];
    if (start === undefined || offset >= positions.total) return { entries, total: positions.total };
    let left = offset % STRIDE;
    for await (const { text } of records(file, start, to)) {
      if (left-- > 0) continue;
      if (entries.length === limit) break;
      entries.push(entryOf(text));
    }
    return { entries, total: positions.total };
  }

  #keep(directory: string, positions: DirectoryPositions): void {
    this.#positions.delete(directory);
    this.#positions.set(directory, positions);
    if (this.#positions.size > MAX_KEPT) this.#positions.delete(this.#positions.keys().next().value!);
  }

  /** Returns the position of the first record that sorts at or after `text`, by binary search. */
  async #bound(file: Deno.FsFile, text: string): Promise<number> {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      let isBefore: { next: number } | null = null;
      for await (const { text: found, at, next } of records(file, Math.max(middle - 1, 0), this.size)) {
        // The first bytes read might be the rest of a record, so skip them. Reading starts one byte before
        // `middle`, so that a record that begins exactly at `middle` is not skipped.
        if (at < middle) continue;
        if (at < high && found < text) isBefore = { next };
        break;
      }
      if (isBefore === null) high = middle;
      else low = isBefore.next;
    }
    return low;
  }
}

/** Writes records through a buffer. Collecting them in a growing string would fill V8's memory. */
async function writeRecords(
  path: string,
  work: (put: (record: string) => void) => Promise<void>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const buffer = Buffer.alloc(BATCH_BYTES);
  let length = 0;
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  };
  const flush = () => {
    write(buffer.subarray(0, length));
    length = 0;
  };
  await work((record) => {
    if (length + record.length > BATCH_BYTES) flush();
    if (record.length > BATCH_BYTES) write(bytesOf(record));
    else length += buffer.write(record, length, "latin1");
  });
  flush();
}

async function count(file: Deno.FsFile, from: number, to: number): Promise<DirectoryPositions> {
  const positions: DirectoryPositions = { total: 0, offsets: [] };
  let begin = from;
  let base = from;
  for await (const chunk of chunks(file, from, to)) {
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, end + 1)) {
      if (positions.total++ % STRIDE === 0) positions.offsets.push(begin);
      begin = base + end + 1;
    }
    base += chunk.length;
  }
  return positions;
}

async function matching(
  file: Deno.FsFile,
  { from, to }: { from: number; to: number },
  { offset, limit, search }: PageChoice,
): Promise<ListingPage> {
  const wanted = foldName(search!);
  const page: ListingPage = { entries: [], total: 0 };
  for await (const batch of batches(file, from, to)) {
    for (const { text } of batch) {
      const { name } = partsOf(text);
      if (!foldName(displayName(name)).includes(wanted)) continue;
      if (page.total >= offset && page.entries.length < limit) page.entries.push(entryOf(text));
      page.total++;
    }
  }
  return page;
}

function keyOf(name: string, kind: Kind): string {
  const directory = parentOf(name);
  const base = directory === "" ? name : name.slice(directory.length + 1);
  return `${escaped(directory)}${END}${kind}${escaped(base)}${END}`;
}

function recordOf(member: Member): string {
  const listed = listedMember(member);
  if (listed === null) return `${keyOf(member.name, "2")}\0`;
  const { type, size, mode, uid, gid, modifiedAt, linkTarget } = listed;
  const rest: Rest = [
    type,
    size,
    octalMode(mode),
    uid,
    gid,
    modifiedAt?.replace(/\.\d+/, "") ?? "",
    linkTarget === null ? null : displayName(linkTarget),
  ];
  return `${keyOf(member.name, type === "directory" ? "0" : "1")}${byteString(JSON.stringify(rest))}\0`;
}

type Rest = [
  type: ListedMember["type"],
  size: number,
  mode: string,
  uid: number,
  gid: number,
  modified_at: string,
  link_target: string | null,
];

function partsOf(record: string): { directory: string; name: string; rest: string } {
  const [directory, name, rest] = record.split(END, 3) as [string, string, string];
  return { directory: unescaped(directory), name: unescaped(name.slice(1)), rest };
}

function entryOf(record: string): BackupEntry {
  const { directory, name, rest } = partsOf(record);
  const [type, size, mode, uid, gid, modified_at, link_target]: Rest = JSON.parse(
    new TextDecoder().decode(bytesOf(rest)),
  );
  const path = displayName(directory === "" ? name : `${directory}/${name}`);
  return { path, type, size, mode, uid, gid, modified_at, link_target };
}

function escaped(name: string): string {
  // deno-lint-ignore no-control-regex
  return name.replace(/[\x01\x02]/g, (byte) => ESCAPE + (byte === END ? "1" : "2"));
}

function unescaped(name: string): string {
  // deno-lint-ignore no-control-regex
  return name.replace(/\x02([12])/g, (_, which) => which === "1" ? END : ESCAPE);
}

interface FoundRecord {
  /**
   * `text` is the record as a byte string, without the NUL. `at` is the record's position in the file. `next`
   * is the position of the following record.
   */
  text: string;
  at: number;
  next: number;
}

/**
 * Yields the records that begin at `from` or later and before `to`. If a record begins before `from`, yields
 * the remaining bytes of this record first.
 */
async function* records(file: Deno.FsFile, from: number, to: number): AsyncIterable<FoundRecord> {
  for await (const batch of batches(file, from, to)) yield* batch;
}

/** Yields the records that {@link records} yields, but as lists: one list for each read of the file. */
async function* batches(file: Deno.FsFile, from: number, to: number): AsyncIterable<FoundRecord[]> {
  let rest = "";
  let at = from;
  for await (const chunk of chunks(file, from, to)) {
    const texts = (rest + latin1(chunk)).split("\0");
    rest = texts.pop()!;
    yield texts.map((text) => {
      const found = { text, at, next: at + text.length + 1 };
      at = found.next;
      return found;
    });
  }
}

async function* chunks(file: Deno.FsFile, from: number, to: number): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(to - from, 0)));
  // The first read is small, because it is enough to find a single record.
  for (let at = from, wanted = 8192; at < to; wanted = READ_BYTES) {
    await file.seek(at, Deno.SeekMode.Start);
    const length = await file.read(buffer.subarray(0, Math.min(wanted, to - at)));
    if (length === null) return;
    yield buffer.subarray(0, length);
    at += length;
  }
}
