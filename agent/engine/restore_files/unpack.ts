/** tar, unpacking into a directory that holds nothing yet. */
import { dirname } from "node:path";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { openRanges } from "../archive/archive_ranges.ts";
import type { Children, Command, Exit } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore_context.ts";
import { capture } from "../programs/capture.ts";
import { exists } from "../exists.ts";
import { feedUnpacked } from "../archive/feed.ts";
import { joinNames } from "./names.ts";
import type { Selection } from "./selection.ts";
import { FoldedWarnings, UnpackMessages } from "./unpack_messages.ts";

/** As it was written; see sources/files.ts. */
const RECORD_BYTES = 64 * 1024;

/** What unpacking takes of a run, whatever the run is for. */
type Unpacking = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;

/** Members that could not be unpacked, while all others were. */
export interface Skipped {
  /** Byte strings without `./`. Names longer than a line of output are missing. */
  names: ReadonlySet<string>;
  count: number;
  /** Hard links that became copies, which changed the times of the directories that they are in. */
  copiedCount: number;
}

/**
 * Unpacks the whole archive, which is proven to be the one that was stored once this resolves. Members whose
 * name or kind the file system does not take are left out, with a warning each.
 */
export async function unpackWhole(
  archive: StoredObject,
  directory: string,
  context: Unpacking,
  warnings?: FoldedWarnings,
): Promise<Skipped> {
  context.progress.total = archive.size;
  const folded = warnings ?? new FoldedWarnings(context.ports.output);
  const said = new UnpackMessages(context.ports.output, folded);
  const exit = await feedUnpacked(archive, await tarCommand(directory), said.read, context);
  const skipped = await check(exit, said, directory, archive, context);
  if (warnings === undefined) folded.end();
  return skipped;
}

/** The chosen members only. */
export async function unpackSelection(
  archive: StoredObject,
  { ranges, table }: Selection,
  directory: string,
  context: Unpacking,
  warnings: FoldedWarnings,
): Promise<Skipped> {
  const { children, objects, ports } = context;
  const said = new UnpackMessages(ports.output, warnings);
  const tar = children.spawn(await tarCommand(directory), {
    stdin: "piped",
    stdout: "null",
    onMessage: said.read,
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
    throw await objects.diagnose(archive, results[0].reason);
  }
  return await check(await tar.exited, said, directory, archive, context);
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

/** Whether the file system takes names that differ in case only for one. */
async function foldsCase(directory: string): Promise<boolean> {
  const probe = `${directory}/.probe-aA`;
  await Deno.writeTextFile(probe, "");
  try {
    return await exists(`${directory}/.probe-Aa`);
  } finally {
    await Deno.remove(probe);
  }
}

async function tarCommand(directory: string): Promise<Command> {
  const isFolding = await foldsCase(directory);
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
      "--quoting-style=c",
      // A file from before 1970 or from the future is restored as it was.
      "--warning=no-timestamp",
      // Else a backslash in the directory's name would be an escape, and another directory could be meant.
      "--no-unquote",
      // Another member has a name that is the same to the file system: it must not be overwritten.
      ...(isFolding ? ["--keep-old-files"] : []),
      "--no-selinux",
      `--directory=${directory}`,
    ],
  };
}

/** Rejects where tar failed. A lack of room is no fault of the archive; of all else it may be. */
async function check(
  { code, signal }: Exit,
  said: UnpackMessages,
  directory: string,
  archive: StoredObject,
  { objects, children }: Unpacking,
): Promise<Skipped> {
  if (said.escape !== null) {
    const escaping = new RunFailedError(
      `its archive holds a name that leads out of the target, which no backup does: ${said.escape}. Don't trust where it came from.`,
    );
    throw await objects.diagnose(archive, escaping);
  }
  const isDone = code === 0 && signal === null;
  if (!isDone && said.hasNoRoom) {
    throw new RunFailedError(
      `there is no room for it in ${dirname(directory)}. Free some, or restore elsewhere.`,
    );
  }
  // tar goes on after a member that it can't make, and tells so by 2.
  if (!isDone && (code !== 2 || signal !== null || said.cause !== null || !said.hasProblems)) {
    const how = signal === null ? `tar exited with ${code}` : `tar was ended by ${signal}`;
    throw await objects.diagnose(
      archive,
      new RunFailedError(`it can't be unpacked in ${directory}: ${said.cause ?? how}`),
    );
  }
  await copyHardLinks(said, directory, children);
  return { names: said.skipped, count: said.skippedCount, copiedCount: said.hardLinks.length };
}

/** On a file system without hard links, each further name of a file becomes a copy. */
async function copyHardLinks(said: UnpackMessages, directory: string, children: Children): Promise<void> {
  for (const { name, target } of said.hardLinks) {
    const copy = 'exec cp --archive --no-dereference --no-target-directory -- "$1" "$2"';
    const { exit, messages } = await capture(
      children,
      { program: "env", args: [`--chdir=${directory}`, "xargs", "-0", "-n", "2", "sh", "-c", copy, "sh"] },
      joinNames([target, name]),
    );
    if (exit.code !== 0) said.skip(name, messages[0] ?? "it can't be copied");
    else said.copied(name, target);
  }
}
