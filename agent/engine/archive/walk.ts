/** Unpacks a stored object to its end and discards the bytes. This proves that the object can be unpacked. */
import { type FrameTable, IndexParser, type UnreadableLines } from "./archive_index.ts";
import type { Child, Children, Command, Exit, Redirect } from "../programs/children.ts";
import { makeFifo, releaseAfter } from "../programs/fifo.ts";
import { eachLine } from "../programs/line_reader.ts";
import { Listing, type ListingDigest } from "./listing.ts";
import { RunFailedError } from "../ports.ts";
import type { Bytes } from "../jobs/read_back.ts";
import { RECORD_BYTES } from "../sources/files/files.ts";
import { finishStages } from "../programs/stages.ts";
import type { FrameWatch } from "../transforms/frames.ts";

export interface IndexSummary extends ListingDigest {
  /** Number of lines in the listing, not counting the line of the root directory. */
  files: number;
  table: FrameTable | null;
  unreadable: UnreadableLines | null;
  /** Whether a line or a part of a line could not be parsed. */
  hasUnparsed: boolean;
}

type Chunks = AsyncIterable<Uint8Array>;

const UNPACK = { program: "zstd", args: ["-d", "-q", "-c"] };

/** Unpacks an index, parses every line and returns a summary. */
export async function walkIndex(opened: Chunks, children: Children): Promise<IndexSummary> {
  const message = new FirstMessage();
  const zstd = children.spawn(UNPACK, { stdin: "piped", stdout: "piped", onMessage: message.keep });
  const parser = new IndexParser();
  const listing = new Listing();
  let files = 0;
  let hasUnparsed = false;
  const taken = eachLine(zstd, (line) => {
    const member = parser.line(line);
    // An unreadable line is still part of the listing, so the digest includes the line.
    if (member !== null || parser.isInListing) listing.add(line);
    if (member !== null && member.name !== "") files++;
    if (member?.type === "unknown") hasUnparsed = true;
  });
  await finishStages(children, [taken, zstd.feed(opened), zstd.exited]);
  checkExit("zstd", await zstd.exited, message);
  const { unreadable } = parser;
  return {
    ...listing.end(),
    files: files + (unreadable?.count ?? 0),
    table: parser.table(),
    unreadable,
    hasUnparsed: hasUnparsed || unreadable !== null,
  };
}

/**
 * Unpacks an archive and lists it with tar. Returns the digest of the listing. tar verifies the checksum of
 * every header, and reads every byte of the members.
 */
export async function walkArchive(
  opened: Bytes,
  watch: FrameWatch,
  children: Children,
  workDirectory: string,
): Promise<ListingDigest> {
  const fifo = `${workDirectory}/pipe`;
  await makeFifo(fifo, null, children);
  const messages = { zstd: new FirstMessage(), tar: new FirstMessage() };
  const output: Redirect = { descriptor: 1, direction: ">", path: fifo };
  const zstd = startReader(opened, watch, { ...UNPACK, redirects: [output] }, messages.zstd, children);
  const tar = children.spawn(
    { ...LIST, redirects: [{ descriptor: 0, direction: "<", path: fifo }] },
    { stdout: "piped", onMessage: messages.tar.keep },
  );
  const listing = new Listing();
  const released = releaseAfter([zstd.child, tar], fifo);
  const taken = eachLine(tar, (line) => listing.add(line));
  await finishStages(children, [zstd.passed, taken, released, zstd.child.exited, tar.exited])
    .finally(() => Deno.remove(fifo));
  const unpacked = await zstd.child.exited;
  const listed = await tar.exited;
  // If one of the two programs ends early, the other one ends too. If zstd ended because tar stopped reading,
  // zstd itself did not fail, so its exit is not checked.
  const isCut = unpacked.signal === "SIGPIPE" || /Broken pipe/.test(messages.zstd.first ?? "");
  if (!isCut) checkExit("zstd", unpacked, messages.zstd);
  checkExit("tar", listed, messages.tar);
  if (isCut) throw new RunFailedError("there is more in it behind the archive's end");
  return listing.end();
}

/** Unpacks a dump without parsing it: only a database server could read its structure. */
export async function walkStream(opened: Bytes, watch: FrameWatch, children: Children): Promise<void> {
  const message = new FirstMessage();
  const zstd = startReader(opened, watch, { program: "zstd", args: ["-t", "-q"] }, message, children);
  await finishStages(children, [zstd.passed, zstd.child.exited]);
  checkExit("zstd", await zstd.child.exited, message);
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

class FirstMessage {
  first: string | null = null;

  readonly keep = (line: string): void => void (this.first ??= line.replace(/^\S+: /, ""));
}

/**
 * Starts a program that reads the bytes, and returns it as `child`. The agent reads the bytes too, and gives
 * them to `watch`. `passed` resolves when `watch` has got all bytes.
 *
 * Normally the agent also copies the bytes to the program. If the bytes are in a file on this server, the
 * program reads the file itself.
 */
function startReader(
  { chunks, path }: Bytes,
  watch: FrameWatch,
  { redirects = [], ...command }: Command,
  message: FirstMessage,
  children: Children,
): { passed: Promise<void>; child: Child } {
  const input: Redirect[] = path === null ? [] : [{ descriptor: 0, direction: "<", path }];
  const child = children.spawn({ ...command, redirects: [...input, ...redirects] }, {
    stdin: path === null ? "piped" : "null",
    stdout: "null",
    onMessage: message.keep,
  });
  const passed = path === null ? child.feed(watched(chunks, watch)) : drain(watched(chunks, watch));
  // If the caller's next program cannot be started, nothing awaits `passed`. Prevent an unhandled rejection
  // in this case.
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

/**
 * Throws if a program failed. A `RunFailedError` means that the object is damaged. If the program was killed,
 * throws another error, because the object might be undamaged.
 */
function checkExit(program: string, { code, signal }: Exit, { first }: FirstMessage): void {
  if (signal !== null) throw new Error(`Cannot read an object: ${program} was ended by ${signal}`);
  // A read error means that the disk could not be read. It does not mean that the data is damaged. But zstd
  // also reports a truncated frame as a read error, with "premature end". A truncated frame is damage, so the
  // pattern excludes this message.
  if (/Read error(?!.*premature end)/.test(first ?? "")) {
    throw new Error(`${program} could not read all of it: ${first}`);
  }
  if (code !== 0) {
    throw new RunFailedError(`it does not unpack: ${first ?? `${program} exited with ${code}`}`);
  }
}
