/** tar, unpacking into a directory that holds nothing yet. */
import { dirname } from "node:path";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { openRanges } from "../archive_ranges.ts";
import type { Command, Exit } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import { feedUnpacked } from "./feed.ts";
import type { Selection } from "./selection.ts";

/** As it was written; see sources/files.ts. */
const RECORD_BYTES = 64 * 1024;

/** tar(1) without --absolute-names; names and targets of hard links. */
const ESCAPES = /^Removing leading |Member name contains '\.\.'/;

/** What unpacking takes of a run, whatever the run is for. */
type Unpacking = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;

/** What a program said, kept for the verdict. */
class Messages {
  lastError: string | null = null;
  /** Of a name that no archive of ours holds: tar would go on without the part that leads out of the directory. */
  escape: string | null = null;

  constructor(private readonly context: Unpacking) {}

  /** What tar says on the way: that it can't set an attribute, say. */
  readonly warn = (line: string): void => {
    const text = line.replace(/^tar: /, "");
    if (/Exiting with failure status due to previous errors$/.test(text)) return;
    this.lastError ??= text;
    if (ESCAPES.test(text)) this.escape ??= text;
    this.context.ports.output.warning(text);
  };
}

/** The whole archive; proven to be the one that was stored once this resolves. */
export async function unpackWhole(
  archive: StoredObject,
  directory: string,
  context: Unpacking,
): Promise<void> {
  context.progress.total = archive.size;
  const said = new Messages(context);
  const exit = await feedUnpacked(archive, tarCommand(directory), said.warn, context);
  await check(exit, said, directory, archive, context);
}

/** The chosen members only. */
export async function unpackSelection(
  archive: StoredObject,
  { ranges, table }: Selection,
  directory: string,
  context: Unpacking,
): Promise<void> {
  const { children, objects, ports } = context;
  const said = new Messages(context);
  const tar = children.spawn(tarCommand(directory), {
    stdin: "piped",
    stdout: "null",
    onMessage: said.warn,
  });
  const chosen = async function* () {
    const read = await openRanges(objects, archive, table, children, (line) => ports.output.line(line));
    yield* withEnd(read(ranges));
  };
  const results = await Promise.allSettled([tar.feed(chosen()), tar.exited]);
  ports.signal.throwIfAborted();
  if (results[0].status === "rejected") {
    ports.output.line(
      `What is wanted of ${archive.name} can't be read. Reading all of it, to see whether it is damaged`,
    );
    throw await objects.blame(archive, results[0].reason);
  }
  await check(await tar.exited, said, directory, archive, context);
}

/** The end that tar looks for: two blocks of zeros, filled up to a record. */
async function* withEnd(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    yield chunk;
  }
  yield new Uint8Array(2 * RECORD_BYTES - size % RECORD_BYTES);
}

function tarCommand(directory: string): Command {
  return {
    program: "tar",
    args: [
      "--extract",
      "--file=-",
      `--record-size=${RECORD_BYTES}`,
      "--xattrs",
      "--xattrs-include=*",
      "--same-permissions",
      "--numeric-owner",
      "--delay-directory-restore",
      "--no-selinux",
      `--directory=${directory}`,
    ],
  };
}

/** Rejects where tar failed. A lack of room is no fault of the archive; of all else it may be. */
async function check(
  { code, signal }: Exit,
  { lastError, escape }: Messages,
  directory: string,
  archive: StoredObject,
  { objects }: Unpacking,
): Promise<void> {
  if (escape !== null) {
    const escaping = new RunFailedError(
      `its archive holds a name that leads out of the target, which no backup does: ${escape}. Don't trust where it came from.`,
    );
    throw await objects.blame(archive, escaping);
  }
  if (code === 0 && signal === null) return;
  if (/No space left on device|Disk quota exceeded|: Wrote only \d+ of \d+ bytes$/.test(lastError ?? "")) {
    throw new RunFailedError(
      `there is no room for it in ${dirname(directory)}. Free some, or restore elsewhere.`,
    );
  }
  const how = signal === null ? `tar exited with ${code}` : `tar was ended by ${signal}`;
  throw await objects.blame(
    archive,
    new RunFailedError(`it can't be unpacked in ${directory}: ${lastError ?? how}`),
  );
}
