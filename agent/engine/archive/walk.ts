/**
 * What lies inside a stored object, unpacked to its end and dropped: proof that it can be unpacked at all.
 */
import { type FrameTable, IndexParser, type UnreadableLines } from "./archive_index.ts";
import type { Child, Children, Command, Exit, Redirect } from "../programs/children.ts";
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import { eachLine } from "../programs/line_reader.ts";
import { Listing, type ListingFigures } from "./listing.ts";
import { RunFailedError } from "../ports.ts";
import type { Bytes } from "../jobs/read_back.ts";
import { RECORD_BYTES } from "../sources/files/files.ts";
import { finishStages } from "../programs/stages.ts";
import type { FrameWatch } from "../transforms/frames.ts";

export interface IndexFigures extends ListingFigures {
  /** Lines of the listing but for that of the source's root. */
  files: number;
  table: FrameTable | null;
  unreadable: UnreadableLines | null;
  /** Whether a line can't be read, or not all of it. */
  isOdd: boolean;
}

type Chunks = AsyncIterable<Uint8Array>;

const UNPACK = { program: "zstd", args: ["-d", "-q", "-c"] };

/** An index, every line of it. */
export async function walkIndex(opened: Chunks, children: Children): Promise<IndexFigures> {
  const said = new Said();
  const zstd = children.spawn(UNPACK, { stdin: "piped", stdout: "piped", onMessage: said.keep });
  const parser = new IndexParser();
  const listing = new Listing();
  let files = 0;
  let isOdd = false;
  const taken = eachLine(zstd, (line) => {
    const member = parser.line(line);
    // A line that can't be read is part of the listing all the same.
    if (member !== null || parser.isInListing) listing.add(line);
    if (member !== null && member.name !== "") files++;
    if (member?.type === "unknown") isOdd = true;
  });
  await finishStages(children, [taken, zstd.feed(opened), zstd.exited]);
  check("zstd", await zstd.exited, said);
  const { unreadable } = parser;
  return {
    ...listing.end(),
    files: files + (unreadable?.count ?? 0),
    table: parser.table(),
    unreadable,
    isOdd: isOdd || unreadable !== null,
  };
}

/** A tar archive, as tar itself reads it: every header, with its checksum, and every byte of its members. */
export async function walkArchive(
  opened: Bytes,
  watch: FrameWatch,
  children: Children,
  workDirectory: string,
): Promise<ListingFigures> {
  const fifo = `${workDirectory}/pipe`;
  await makeFifo(fifo, null, children);
  const said = { zstd: new Said(), tar: new Said() };
  const output: Redirect = { descriptor: 1, direction: ">", path: fifo };
  const zstd = startOn(opened, watch, { ...UNPACK, redirects: [output] }, said.zstd, children);
  const tar = children.spawn(
    { ...LIST, redirects: [{ descriptor: 0, direction: "<", path: fifo }] },
    { stdout: "piped", onMessage: said.tar.keep },
  );
  const listing = new Listing();
  const released = releaseAfter([zstd.child, tar], fifo);
  const taken = eachLine(tar, (line) => listing.add(line));
  await finishStages(children, [zstd.passed, taken, released, zstd.child.exited, tar.exited])
    .finally(() => Deno.remove(fifo));
  const unpacked = await zstd.child.exited;
  const listed = await tar.exited;
  // A tar that gave up takes zstd with it, and the other way round: the first to fail has the reason.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(said.zstd.first ?? "");
  if (!isCut) check("zstd", unpacked, said.zstd);
  check("tar", listed, said.tar);
  if (isCut) throw new RunFailedError("there is more in it behind the archive's end");
  return listing.end();
}

/** A dump, which has no structure that a stock program would walk without a server. */
export async function walkStream(opened: Bytes, watch: FrameWatch, children: Children): Promise<void> {
  const said = new Said();
  const zstd = startOn(opened, watch, { program: "zstd", args: ["-t", "-q"] }, said, children);
  await finishStages(children, [zstd.passed, zstd.child.exited]);
  check("zstd", await zstd.child.exited, said);
}

const LIST = {
  program: "tar",
  args: [
    "--list",
    "--file=-",
    `--record-size=${RECORD_BYTES}`,
    "--verbose",
    "--numeric-owner",
    "--full-time",
    "--utc",
    "--quoting-style=c",
  ],
};

class Said {
  first: string | null = null;

  readonly keep = (line: string): void => void (this.first ??= line.replace(/^\S+: /, ""));
}

/**
 * Gives a program the bytes, all of which pass `watch`. What lies in a file of this server it reads by
 * itself, which spares handing them on; the two see the same file, and it is the agent that proves it.
 */
function startOn(
  { chunks, path }: Bytes,
  watch: FrameWatch,
  { redirects = [], ...command }: Command,
  said: Said,
  children: Children,
): { passed: Promise<void>; child: Child } {
  const input: Redirect[] = path === null ? [] : [{ descriptor: 0, direction: "<", path }];
  const child = children.spawn({ ...command, redirects: [...input, ...redirects] }, {
    stdin: path === null ? "piped" : "null",
    stdout: "null",
    onMessage: said.keep,
  });
  const passed = path === null ? child.feed(watched(chunks, watch)) : drain(watched(chunks, watch));
  // Awaited together with the others, unless one of them can't be started.
  passed.catch(() => {});
  return { passed, child };
}

async function drain(chunks: Chunks): Promise<void> {
  for await (const _ of chunks);
}

async function* watched(opened: Chunks, watch: FrameWatch): Chunks {
  for await (const chunk of opened) {
    watch.push(chunk);
    yield chunk;
  }
}

/** A program that was killed tells nothing of what it read. */
function check(program: string, { code, signal }: Exit, { first }: Said): void {
  if (signal !== null) throw new Error(`Cannot look into an object: ${program} was ended by ${signal}`);
  // Of the disk, not of what is on it; zstd calls a frame that ends too early a read error as well.
  if (/Read error(?!.*premature end)/.test(first ?? "")) {
    throw new Error(`${program} could not read all of it: ${first}`);
  }
  if (code !== 0) {
    throw new RunFailedError(`it does not unpack: ${first ?? `${program} exited with ${code}`}`);
  }
}
