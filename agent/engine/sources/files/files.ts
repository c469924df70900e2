/**
 * A directory tree, or one file, as a pax archive by GNU tar. Members are named `./…` from the source's root,
 * so that `tar -x -C TARGET` puts the contents straight into TARGET. Owners are numbers; times have
 * nanoseconds; extended attributes, ACLs, hard links and holes are kept; other file systems mounted below are
 * left out.
 *
 * The member index is tar's own listing: `block N: <mode> <uid>/<gid> <size> <UTC time> <name>`, a line a
 * member, padded with spaces; the time has up to nine digits of a second; names are in C quotes, with ` ->
 * "target"` after a symbolic link's and ` link to "target"` after a hard link's. N counts 512-byte blocks of
 * the archive to the member's first header. See archive_index.ts for what is stored.
 */
import { basename, dirname } from "node:path";
import type { FilesSource } from "../../../../src/protocol/job.ts";
import type { Command, Exit } from "../../programs/children.ts";
import { type Mount, mountOf, readMounts, refuseVanished } from "../../mounts.ts";
import { RunFailedError } from "../../ports.ts";
import type { RunContext } from "../../run_context.ts";
import { requireTools } from "../../programs/tools.ts";
import { warnOfLongPaths } from "./long_paths.ts";
import type { PartEnd, PreparedSource, SourcePart } from "../source.ts";
import { TarMessages } from "./tar_messages.ts";
import { directoryScope, fileScope, type TreeScope } from "./tree_scope.ts";

/** As much as a pipe holds: fewer, larger writes. A whole number of 512-byte blocks. */
export const RECORD_BYTES = 64 * 1024;
/**
 * Where tar finds the pipe for its archive. Its listing then goes to stdout, the one place where tar fails
 * when a line can't be written: with `--index-file` a full disk would leave lines out unnoticed.
 */
const ARCHIVE_DESCRIPTOR = 3;

export async function prepareFiles(source: FilesSource, context: RunContext): Promise<PreparedSource> {
  const { output } = context.ports;
  output.line(`Backing up files in ${source.path}`);
  const kind = await inspect(source.path);
  const mounts = await describeFileSystem(source.path, context);
  const tools = await requireTools(context.children, ["tar", "pzstd", "zstd"]);
  const scope = kind === "directory"
    ? await directoryScope(source, mounts, context)
    : fileScope(source, mounts, context);
  return {
    engine: "tar",
    tools,
    description: { type: "files", path: source.path, kind, excluded_paths: source.excluded_paths },
    parts: [await archivePart(source, kind, scope, context)],
  };
}

async function inspect(path: string): Promise<"directory" | "file"> {
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new RunFailedError(`Cannot back up ${JSON.stringify(path)}: the source path must be absolute`);
  }
  // Encoded, half a pair would become another character, and lead to another place.
  if (!path.isWellFormed()) {
    throw new RunFailedError(`Cannot back up ${JSON.stringify(path)}: the source path is no Unicode text`);
  }
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    if (isDirectory) return "directory";
    if (isFile) return "file";
  } catch (error) {
    const what = error instanceof Deno.errors.NotFound
      ? "no such file or directory. Check the task's source_path"
      : (error as Error).message;
    throw new RunFailedError(`Cannot back up ${path}: ${what}`, { cause: error });
  }
  throw new RunFailedError(`Cannot back up ${path}: it is neither a directory nor a regular file`);
}

async function describeFileSystem(path: string, { ports }: RunContext): Promise<Mount[]> {
  const real = await Deno.realPath(path);
  const mounts = await readMounts();
  refuseVanished(`back up ${path}`, real, mounts);
  const mount = mountOf(real, mounts.mounts);
  ports.output.line(
    `Source found: ${real} on ${mount?.type ?? "an unknown file system"} (${mount?.device ?? "?"})`,
  );
  return mounts.mounts;
}

async function archivePart(
  source: FilesSource,
  kind: "directory" | "file",
  scope: TreeScope,
  context: RunContext,
): Promise<SourcePart> {
  const indexPath = `${context.ports.workDirectory}/index`;
  await Deno.writeTextFile(indexPath, "", { mode: 0o600 });
  const messages = new TarMessages(context.ports.output, source.allow_unreadable, scope.knownMounts);
  const members = membersOf(source.path, kind);
  return {
    label: source.path,
    database: null,
    infix: null,
    extension: ".tar",
    command: tarCommand(members, scope, indexPath, context),
    streamDescriptor: ARCHIVE_DESCRIPTOR,
    index: { path: indexPath, rootLines: kind === "directory" ? 1 : 0 },
    // With smaller records tar leaves the end of the last one unread, and zstd dies of it: a failure under
    // `pipefail`.
    restore:
      `tar --extract --file=- --record-size=${RECORD_BYTES} --xattrs --xattrs-include='*' --same-permissions ` +
      "--numeric-owner -C TARGET",
    message: (line) => messages.read(line),
    checkExit: (exit, filesCount) => checkExit(source, messages, exit, filesCount),
    checkEnd,
    async ended() {
      await scope.checkMounts();
      await warnOfLongPaths(indexPath, (line) => context.ports.output.warning(line));
    },
  };
}

/**
 * Never something that tar could read as an option. Of one file that is a link, what it leads to is archived,
 * under the name that was given: whoever looks for it, or puts it back, knows no other.
 */
function membersOf(path: string, kind: "directory" | "file"): { options: string[]; member: string } {
  if (kind === "directory") return { options: [`--directory=${path}`], member: "." };
  return { options: ["--dereference", `--directory=${dirname(path)}`], member: `./${basename(path)}` };
}

function tarCommand(
  { options, member }: { options: string[]; member: string },
  scope: TreeScope,
  indexPath: string,
  { user }: RunContext,
): Command {
  return {
    program: "tar",
    args: tarArguments([...options, ...scope.arguments], member),
    user,
    redirects: [{ descriptor: 1, direction: ">", path: indexPath }],
  };
}

/** Of a tar that writes the archive to {@link ARCHIVE_DESCRIPTOR}, and its listing to stdout. */
export function tarArguments(options: readonly string[], member: string): string[] {
  return [
    "--create",
    `--file=/proc/self/fd/${ARCHIVE_DESCRIPTOR}`,
    "--format=posix",
    // Access and change times are nothing to restore; without them and tar's pid, equal trees give equal
    // archives.
    "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f",
    `--record-size=${RECORD_BYTES}`,
    "--numeric-owner",
    // Access lists are attributes too, and kept twice: who restores with --acls loses those that are
    // attributes only.
    "--xattrs",
    "--acls",
    "--no-selinux",
    "--ignore-failed-read",
    "--no-unquote",
    "--verbose",
    "--verbose",
    "--block-number",
    "--full-time",
    "--utc",
    "--quoting-style=c",
    ...options,
    member,
  ];
}

/** Exit 1 means that files changed while they were read; tar must have named them. */
function checkExit(source: FilesSource, messages: TarMessages, exit: Exit, filesCount: number): void {
  const { changed, unreadable, firstUnreadable, lastError } = messages;
  if (exit.signal !== null) {
    throw new RunFailedError(`Cannot archive ${source.path}: tar was ended by ${exit.signal}`);
  }
  if (lastError?.startsWith('"stdout": write error')) {
    throw new RunFailedError(
      `Cannot list the files of ${source.path}: the agent's state directory is full or can't be written. Free some space.`,
    );
  }
  if (exit.code !== 0 && !(exit.code === 1 && changed > 0)) {
    throw new RunFailedError(
      `Cannot archive ${source.path}: tar exited with ${exit.code}: ${
        lastError ?? firstUnreadable ?? "no reason given"
      }`,
    );
  }
  if (unreadable > 0 && !source.allow_unreadable) {
    throw new RunFailedError(
      `Cannot read ${
        unreadable === 1 ? "a file" : `${unreadable} files`
      } in ${source.path}: ${firstUnreadable}. ` +
        "Give the agent the right to read, exclude it, or set the task's allow_unreadable.",
    );
  }
  if (filesCount === 0) {
    const why = unreadable > 0
      ? `it can't be read: ${firstUnreadable}`
      : "it is empty, or all of it is excluded";
    throw new RunFailedError(`Cannot back up ${source.path}: ${why}`);
  }
}

/** An archive is a whole number of records and ends in two blocks of zeros, pax(1). */
export function checkEnd({ size, tail }: PartEnd): void {
  const closing = tail.subarray(-1024);
  if (size % RECORD_BYTES !== 0 || closing.length < 1024 || closing.some((byte) => byte !== 0)) {
    throw new RunFailedError("Cannot trust the archive: it lacks tar's end-of-archive blocks");
  }
}
