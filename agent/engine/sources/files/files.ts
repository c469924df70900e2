/**
 * Backs up a directory or one file as a pax archive of GNU tar.
 * - Members are named `./…` relative to the source's root. So `tar -x -C TARGET` unpacks the contents
 *   directly into TARGET.
 * - Owners are stored as numbers, and times with nanoseconds.
 * - Extended attributes, ACLs, hard links and holes are kept.
 * - File systems that are mounted in the source are left out.
 *
 * The index is tar's own listing. It has one line for each member, padded with spaces: `block N: <mode>
 * <uid>/<gid> <size> <UTC time> <name>`.
 * - N is the number of 512-byte blocks before the member's first header.
 * - The time has up to nine decimals of a second.
 * - Names are in C quotes.
 * - A symbolic link is followed by ` -> "target"`, a hard link by ` link to "target"`.
 *
 * See archive_index.ts for the stored format.
 */
import { basename, dirname } from "node:path";
import type { FilesSource } from "../../../../src/definitions/sources/files.ts";
import type { Command, Exit } from "../../programs/children.ts";
import { type Mount, mountOf, readMounts, refuseVanished } from "../../mounts.ts";
import { RunFailedError } from "../../ports.ts";
import type { RunContext } from "../../run_context.ts";
import { requireTools } from "../../programs/tools.ts";
import { warnOfLongPaths } from "./long_paths.ts";
import type { PartEnd, PreparedSource, SourcePart } from "../source.ts";
import { TarMessages } from "./tar_messages.ts";
import { directoryScope, fileScope, type TreeScope } from "./tree_scope.ts";

/**
 * Size of tar's records in bytes, a multiple of 512. A pipe holds this many bytes, so tar makes few and large
 * writes.
 */
export const RECORD_BYTES = 64 * 1024;
/**
 * File descriptor of the pipe that tar writes the archive to. stdout is then free for the listing, and tar
 * fails if a line cannot be written. With `--index-file`, tar would silently lose lines on a full disk.
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
  // Refuse half of a surrogate pair. Encoding it as UTF-8 would replace it by another character, so that the
  // result would be another path.
  if (!path.isWellFormed()) {
    throw new RunFailedError(`Cannot back up ${JSON.stringify(path)}: the source path is not Unicode text`);
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
    // The record size must be the same as in the backup. With smaller records, tar does not read the end
    // of the last record. zstd then ends with SIGPIPE, and `pipefail` makes this a failure.
    restore:
      `tar --extract --file=- --record-size=${RECORD_BYTES} --xattrs --xattrs-include='*' --same-permissions ` +
      "--numeric-owner -C TARGET",
    message: (line) => messages.read(line),
    checkExit: (exit, filesCount) => checkExit(source, messages, exit, filesCount),
    checkEnd,
    unreadable: () => messages.unreadable,
    async ended() {
      await scope.checkMounts();
      await warnOfLongPaths(indexPath, (line) => context.ports.output.warning(line));
    },
  };
}

/**
 * Returns tar's arguments for the source. They are written so that tar cannot take the source's path for an
 * option. A symbolic link to a file is archived as a file with the name of the link, because users know only
 * this name.
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

/**
 * Returns the arguments of a tar that writes the archive to {@link ARCHIVE_DESCRIPTOR} and its listing to
 * stdout.
 */
export function tarArguments(options: readonly string[], member: string): string[] {
  return [
    "--create",
    `--file=/proc/self/fd/${ARCHIVE_DESCRIPTOR}`,
    "--format=posix",
    // Leave out tar's pid. Also leave out access and change times, because they cannot be restored. Equal
    // directories then give equal archives.
    "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f",
    `--record-size=${RECORD_BYTES}`,
    "--numeric-owner",
    // Store access lists twice, as ACLs and as extended attributes. A restore with --acls would lose access
    // lists that are stored only as extended attributes.
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

/**
 * Throws in these cases:
 * - tar failed. Exit code 1 is a success if tar's messages name files that changed while tar read them.
 *   Otherwise it is a failure, like every other code except 0.
 * - Files could not be read, and the task does not allow unreadable files.
 * - tar archived nothing.
 */
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

/**
 * Throws if the archive is not complete. The size of a complete archive is a whole number of records. At its
 * end are two blocks of zeros, see pax(1).
 */
export function checkEnd({ size, tail }: PartEnd): void {
  const closing = tail.subarray(-1024);
  if (size % RECORD_BYTES !== 0 || closing.length < 1024 || closing.some((byte) => byte !== 0)) {
    throw new RunFailedError("Cannot trust the archive: it lacks tar's end-of-archive blocks");
  }
}
