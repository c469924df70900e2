/** Unpacks archives with tar into an empty directory. */
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

/** Size of the archive's records in bytes; see sources/files/files.ts. */
const RECORD_BYTES = 64 * 1024;

/** The parts of a run's context that unpacking needs. */
type Unpacking = Pick<RestoreContext, "children" | "objects" | "ports" | "progress">;

/** The members that could not be unpacked although all other members were. */
export interface Skipped {
  /**
   * Names of the skipped archive members, as byte strings without `./`. Names longer than a line of tar's
   * output are not included.
   */
  names: ReadonlySet<string>;
  count: number;
  /**
   * Number of hard links that were restored as copies. Making a copy changes the time of its directory. So if
   * this number is not 0, the times of directories must be set again.
   */
  copiedCount: number;
}

/**
 * Unpacks the whole archive and verifies it. Leaves out members whose name or type the file system does not
 * support. Writes a warning for each of these members, and returns these members. Resolves only if the
 * archive is intact.
 */
export async function unpackWhole(
  archive: StoredObject,
  directory: string,
  context: Unpacking,
  warnings?: FoldedWarnings,
): Promise<Skipped> {
  context.progress.total = archive.size;
  const folded = warnings ?? new FoldedWarnings(context.ports.output);
  const messages = new UnpackMessages(context.ports.output, folded);
  const exit = await feedUnpacked(archive, await tarCommand(directory), messages.read, context);
  const skipped = await check(exit, messages, directory, archive, context);
  if (warnings === undefined) folded.end();
  return skipped;
}

/**
 * Unpacks the chosen members. Leaves out members that the file system does not support, as {@link
 * unpackWhole} does. Returns the members that were left out.
 */
export async function unpackSelection(
  archive: StoredObject,
  { ranges, table }: Selection,
  directory: string,
  context: Unpacking,
  warnings: FoldedWarnings,
): Promise<Skipped> {
  const { children, objects, ports } = context;
  const messages = new UnpackMessages(ports.output, warnings);
  const tar = children.spawn(await tarCommand(directory), {
    stdin: "piped",
    stdout: "null",
    onMessage: messages.read,
  });
  const chosen = async function* () {
    const read = await openRanges(objects, archive, table, children, (line) => ports.output.line(line));
    yield* withEnd(read(ranges));
  };
  const results = await Promise.allSettled([tar.feed(chosen()), tar.exited]);
  ports.signal.throwIfAborted();
  if (results[0].status === "rejected") {
    ports.output.line(
      `The chosen files can't be read from ${archive.name}. Reading the whole archive, to see whether it is damaged`,
    );
    throw await objects.diagnose(archive, results[0].reason);
  }
  return await check(await tar.exited, messages, directory, archive, context);
}

/**
 * Yields the chunks, and then what tar expects at the end of an archive: two blocks of zeros, padded to a
 * whole record.
 */
async function* withEnd(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    yield chunk;
  }
  yield new Uint8Array(2 * RECORD_BYTES - size % RECORD_BYTES);
}

/** Returns whether the file system takes names that differ only in case for the same name. */
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
      // Do not warn about times before 1970 or in the future. They are restored correctly.
      "--warning=no-timestamp",
      // Without this option, tar would read a backslash in the directory's name as an escape, and could
      // unpack into another directory.
      "--no-unquote",
      // On a file system that ignores case, a later member must not overwrite an earlier member whose name
      // differs only in case.
      ...(isFolding ? ["--keep-old-files"] : []),
      "--no-selinux",
      `--directory=${directory}`,
    ],
  };
}

/**
 * Returns the members that tar left out. If tar failed, checks the archive for damage and rejects. If the
 * disk was full, rejects without this check.
 */
async function check(
  { code, signal }: Exit,
  messages: UnpackMessages,
  directory: string,
  archive: StoredObject,
  { objects, children }: Unpacking,
): Promise<Skipped> {
  if (messages.escape !== null) {
    const escaping = new RunFailedError(
      `its archive holds a name that leads out of the target, which no backup does: ${messages.escape}. Don't trust where it came from.`,
    );
    throw await objects.diagnose(archive, escaping);
  }
  const isDone = code === 0 && signal === null;
  if (!isDone && messages.hasNoRoom) {
    throw new RunFailedError(
      `there is no room for it in ${dirname(directory)}. Free some, or restore elsewhere.`,
    );
  }
  // tar exits with 2 if it could not create some members but unpacked all others. This is not a failure.
  if (!isDone && (code !== 2 || signal !== null || messages.cause !== null || !messages.hasProblems)) {
    const how = signal === null ? `tar exited with ${code}` : `tar was ended by ${signal}`;
    throw await objects.diagnose(
      archive,
      new RunFailedError(`it can't be unpacked in ${directory}: ${messages.cause ?? how}`),
    );
  }
  await copyHardLinks(messages, directory, children);
  return { names: messages.skipped, count: messages.skippedCount, copiedCount: messages.hardLinks.length };
}

/** Restores hard links as copies, on a file system without hard links. */
async function copyHardLinks(messages: UnpackMessages, directory: string, children: Children): Promise<void> {
  for (const { name, target } of messages.hardLinks) {
    const copy = 'exec cp --archive --no-dereference --no-target-directory -- "$1" "$2"';
    const { exit, messages: errors } = await capture(
      children,
      { program: "env", args: [`--chdir=${directory}`, "xargs", "-0", "-n", "2", "sh", "-c", copy, "sh"] },
      joinNames([target, name]),
    );
    if (exit.code !== 0) messages.skip(name, errors[0] ?? "it can't be copied");
    else messages.copied(name, target);
  }
}
