/**
 * Lists a directory of the server, for people who choose what to back up. Opens no files in the directory,
 * and follows no symbolic links.
 */
import type { ServerBrowse, ServerBrowseResult, ServerEntry } from "../../../src/protocol/exploring.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import { bytesOf, byteString, latin1 } from "../archive/bytes.ts";
import { displayName, foldName, nameFromDisplay } from "../archive/display_name.ts";
import { RunFailedError } from "../ports.ts";
import { type Child, Children } from "../programs/children.ts";
import { printable } from "../programs/line.ts";

/** Maximum number of entries that are read. A directory with more entries is listed in part. */
const MAX_ENTRIES = 10_000;
/** Maximum length of a response as JSON, in characters. A response is sent in one websocket frame. */
const MAX_RESPONSE = 900_000;
/** The last time that a `Date` can represent, in seconds. */
const MAX_SECONDS = 8.64e12;

const TYPES: Readonly<Record<string, ServerEntry["type"]>> = {
  d: "directory",
  l: "symlink",
  p: "fifo",
  s: "socket",
  c: "character_device",
  b: "block_device",
};

/** An entry of a directory. `name` and `link` are byte strings. */
interface Found {
  name: string;
  link: string;
  entry: Omit<ServerEntry, "path" | "link_target">;
}

/** Returns one page of a directory's entries, or the reason why the path cannot be listed. */
export async function browseServer(
  request: ServerBrowse,
  clock: Clock,
  signal: AbortSignal,
): Promise<ServerBrowseResult> {
  await using children = new Children(clock, signal);
  let path = byteString(request.path);
  let real = await realPath(path, children);
  // If the path does not exist, it might be a display name from an earlier listing.
  if (real === null && nameFromDisplay(request.path) !== path) {
    path = nameFromDisplay(request.path);
    real = await realPath(path, children);
  }
  const refused = (reason: string): ServerBrowseResult => ({ outcome: "refused", reason });
  const directory = path.replaceAll(/\/(\.?\/)+/g, "/").replace(/(?<=.)\/\.?$/, "") || "/";
  if (real === null) return refused("does not exist on the server, or the agent may not look there");
  if (real !== directory) {
    return refused(`leads through a symbolic link. Its target is ${printable(bytesOf(real))}`);
  }
  const found = await readEntries(directory, children);
  signal.throwIfAborted();
  if (typeof found === "string") return refused(found);
  const pattern = foldName(request.search ?? "");
  const isTruncated = found.length > MAX_ENTRIES;
  const matching = found.slice(0, MAX_ENTRIES)
    .filter(({ name }) => pattern === "" || foldName(displayName(name)).includes(pattern))
    .sort(inOrder);
  const prefix = directory === "/" ? "/" : `${directory}/`;
  const result: ServerBrowseResult = {
    outcome: "listed",
    path: displayName(directory),
    entries: matching.slice(request.offset, request.offset + request.limit).map(({ name, link, entry }) => ({
      ...entry,
      path: displayName(`${prefix}${name}`),
      link_target: entry.type === "symlink" ? displayName(link) : null,
    })),
    total: matching.length,
    is_truncated: isTruncated,
  };
  if (JSON.stringify(result).length <= MAX_RESPONSE) return result;
  throw new RunFailedError("The names on this page are too long for one response. Request fewer per page.");
}

/** Returns the path without symbolic links as a byte string; null if it does not exist. */
async function realPath(path: string, children: Children): Promise<string | null> {
  const child = children.spawn(
    { program: "xargs", args: ["-0", "realpath", "--canonicalize-existing", "--zero", "--"] },
    { stdin: "piped", stdout: "piped", onMessage: () => {} },
  );
  const [output] = await Promise.all([readAll(child), child.feed([bytesOf(`${path}\0`)])]);
  return output === "" ? null : output.slice(0, -1);
}

async function readAll(child: Child): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout!) text += latin1(chunk);
  await child.exited;
  return text;
}

/** Problems of a directory, by the word that {@link SCRIPT} writes. */
const PROBLEMS: Readonly<Record<string, string>> = {
  file: "is not a directory",
  closed: "can't be read: the agent has no permission to read this directory",
};
/**
 * Prints `open` and the entries of the directory. If the path is not a directory, prints only `file`. If the
 * agent is not allowed to read the directory, prints only `closed`.
 */
const SCRIPT = `directory=$1; shift
[ -d "$directory" ] || { printf 'file\\0'; exit; }
[ -r "$directory" ] && [ -x "$directory" ] || { printf 'closed\\0'; exit; }
printf 'open\\0'; exec find "$directory" -mindepth 1 -maxdepth 1 "$@"`;
// find(1) tests -readable with access(2), which would follow a symbolic link.
const READABLE = [
  "(",
  "-type",
  "l",
  "-o",
  "-readable",
  "(",
  "!",
  "-type",
  "d",
  "-o",
  "-executable",
  ")",
  ")",
];
const FIELDS = "%y\\t%s\\t%m\\t%U\\t%G\\t%T@\\0%f\\0%l\\0";
const SHOW = ["(", ...READABLE, "-printf", "+", "-o", "-printf", "-", ")", "-printf", FIELDS];

/**
 * Reads a directory's entries, at most one more than {@link MAX_ENTRIES}. Returns the reason if the directory
 * cannot be read.
 */
async function readEntries(directory: string, children: Children): Promise<Found[] | string> {
  const child = children.spawn(
    { program: "xargs", args: ["-0", "-I", "{}", "sh", "-c", SCRIPT, "sh", "{}", ...SHOW] },
    { stdin: "piped", stdout: "piped", onMessage: () => {} },
  );
  const feeding = child.feed([bytesOf(`${directory}\0`)]);
  const found: Found[] = [];
  let word: string | null = null;
  let rest = "";
  for await (const chunk of child.stdout!) {
    if (found.length > MAX_ENTRIES) continue;
    const parts = (rest + latin1(chunk)).split("\0");
    if (word === null && parts.length > 1) word = parts.shift()!;
    let at = 0;
    for (; word !== null && at + 3 < parts.length; at += 3) {
      found.push(parse(parts[at]!, parts[at + 1]!, parts[at + 2]!));
    }
    rest = parts.slice(at).join("\0");
    if (found.length > MAX_ENTRIES) child.stop();
  }
  await feeding;
  await child.exited;
  return PROBLEMS[word ?? "closed"] ?? found;
}

function parse(fields: string, name: string, link: string): Found {
  const [type, size, mode, uid, gid, time] = fields.slice(1).split("\t");
  const seconds = Math.floor(Number(time));
  return {
    name,
    link,
    entry: {
      type: TYPES[type!] ?? "file",
      size: type === "f" ? Number(size) : 0,
      mode: mode!.padStart(4, "0"),
      uid: Number(uid),
      gid: Number(gid),
      modified_at: Math.abs(seconds) <= MAX_SECONDS
        ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z")
        : "",
      is_readable: fields.startsWith("+"),
    },
  };
}

function inOrder(a: Found, b: Found): number {
  const isDirectory = ({ entry }: Found) => entry.type === "directory";
  if (isDirectory(a) !== isDirectory(b)) return isDirectory(a) ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
