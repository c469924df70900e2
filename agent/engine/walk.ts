/** What lies inside a stored object, unpacked to its end and dropped: proof that it can be unpacked at all. */
import { type FrameTable, IndexParser } from "./archive_index.ts";
import type { Child, Children, Command, Exit, Redirect } from "./children.ts";
import { makeFifo, releaseFifo } from "./fifo.ts";
import { LineReader } from "./line_reader.ts";
import { Listing, type ListingFigures } from "./listing.ts";
import { RunFailedError } from "./ports.ts";
import { pump } from "./pump.ts";
import type { Bytes } from "./read_back.ts";
import { RECORD_BYTES } from "./sources/files.ts";
import type { FrameWatch } from "./transforms/frames.ts";

export interface IndexFigures extends ListingFigures {
  /** Members but for the source's root. */
  files: number;
  table: FrameTable;
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
  const taken = takeLines(zstd, children, (line) => {
    const member = parser.line(line);
    if (member === null) return;
    listing.add(line);
    if (member.name !== "") files++;
  });
  await settle([taken, zstd.feed(opened)]);
  check("zstd", await zstd.exited, said);
  return { ...listing.end(), files, table: parser.table() };
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
  const ended = Promise.race([zstd.exited, tar.exited]).then(() => releaseFifo(fifo));
  const taken = takeLines(tar, children, (line) => listing.add(line));
  await settle([zstd.passed, taken, ended]).finally(() => Deno.remove(fifo));
  const unpacked = await zstd.exited;
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
  await settle([zstd.passed]);
  check("zstd", await zstd.exited, said);
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
 * Gives a program the bytes, all of which pass `watch`. What lies in a file of this server it reads by itself, which spares
 * handing them on; the two see the same file, and it is the agent that proves it.
 */
function startOn(
  { chunks, path }: Bytes,
  watch: FrameWatch,
  { redirects = [], ...command }: Command,
  said: Said,
  children: Children,
): { passed: Promise<void>; exited: Promise<Exit> } {
  const input: Redirect[] = path === null ? [] : [{ descriptor: 0, direction: "<", path }];
  const child = children.spawn({ ...command, redirects: [...input, ...redirects] }, {
    stdin: path === null ? "piped" : "null",
    stdout: "null",
    onMessage: said.keep,
  });
  const passed = path === null ? child.feed(watched(chunks, watch)) : drain(watched(chunks, watch));
  return { passed, exited: child.exited };
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

async function takeLines(child: Child, children: Children, take: (line: string) => void): Promise<void> {
  const reader = new LineReader(take);
  await pump(
    child.stdout!,
    (chunk) => Promise.resolve(reader.push(chunk)),
    () => void children.terminate(),
  );
  reader.end();
}

/** Waits for all, so that nothing is at work any more, then rejects with the first's reason. */
async function settle(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === "rejected") throw result.reason;
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
