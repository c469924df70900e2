/**
 * Compares a restored directory with the index of the archive that was unpacked into it: names, types and
 * sizes.
 */
import { join } from "node:path";
import { IndexParser, type Member } from "../archive/archive_index.ts";
import { bytesOf } from "../archive/bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { printable } from "../programs/line.ts";
import { BackupDamagedError, RunFailedError, type RunPorts } from "../ports.ts";
import { joinNames, statNames } from "../restore_files/names.ts";
import type { ReadLines } from "../restore_files/selection.ts";

/**
 * The letter that `find -printf %y` prints for each type of member. A hard link has the type of the file that
 * it links to.
 */
const TYPES: Record<Exclude<Member["type"], "hardlink" | "unknown">, string> = {
  file: "f",
  directory: "d",
  symlink: "l",
  fifo: "p",
  character_device: "c",
  block_device: "b",
};

/** Number of characters that are collected before they are written to a file. */
const BATCH = 1024 * 1024;
/** Maximum length of the first difference in the error message, in bytes. */
const MAX_FIRST_BYTES = 4096;

/**
 * Compares a directory with an index. Resolves with the number of members in the index. Rejects with a
 * `BackupDamagedError` that names the first difference.
 *
 * The lists of both sides are files in the work directory, and are sorted there. So memory use does not
 * depend on the length of the lists. Unreadable lines of the index are not compared. It makes no difference
 * whether the directory contains the members of these lines.
 *
 * @param isLeftOut Returns whether a member is known to be missing from the directory. Receives the member's
 *   name without `./`.
 */
export async function compareTree(
  directory: string,
  readIndex: ReadLines,
  ports: RunPorts,
  children: Children,
  isLeftOut: (name: string) => boolean = () => false,
): Promise<number> {
  const expected = join(ports.workDirectory, "expected");
  const found = join(ports.workDirectory, "found");
  const index = await listIndex(expected, readIndex, isLeftOut);
  await listUnknown(directory, expected, index.unknown, ports, children);
  await listTree(directory, found, children);
  for (const path of [expected, found]) {
    await succeed(children, ["sort", "-z", `--temporary-directory=${ports.workDirectory}`, "-o", path, path]);
  }
  const difference = await firstDifference(expected, found, index.unreadable, children);
  await Promise.all([expected, found].map((path) => Deno.remove(path)));
  if (difference !== null) throw new BackupDamagedError(difference, difference);
  if (index.unreadable > 0) {
    ports.output.warning(
      `${index.unreadable} lines of the index can't be read, and are not compared`,
    );
  }
  return index.count;
}

interface ListedIndex {
  /** Number of the index's lines, not counting the line of the root directory. */
  count: number;
  /** Names of the members of unknown type. Only their position and name could be read from the index. */
  unknown: string[];
  /** Number of lines from which not even a name can be read. */
  unreadable: number;
}

/**
 * Writes the members of an index to the file `path`. Each member gets an entry `<type> <size> <name>` that
 * ends with NUL. No entry is written for a member that `isLeftOut` selects, for a member of unknown type, and
 * for an unreadable line.
 *
 * The returned `count` includes these lines without an entry, but not the line of the root directory.
 */
async function listIndex(
  path: string,
  readIndex: ReadLines,
  isLeftOut: (name: string) => boolean,
): Promise<ListedIndex> {
  const targets = await linkTargets(readIndex);
  const parser = new IndexParser();
  const unknown: string[] = [];
  let count = 0;
  let batch = "";
  const flush = () => {
    Deno.writeFileSync(path, bytesOf(batch), { append: true, mode: 0o600 });
    batch = "";
  };
  await readIndex((line) => {
    const member = parser.line(line);
    if (member === null || member.name === "") return;
    count++;
    if (member.type === "unknown") {
      unknown.push(member.name);
      return;
    }
    const entry = entryOf(member.type, member, targets);
    if (targets.has(member.name)) targets.set(member.name, entry);
    if (isLeftOut(member.name)) return;
    batch += `${entry} ${member.name}\0`;
    if (batch.length >= BATCH) flush();
  });
  flush();
  const unreadable = parser.unreadable?.count ?? 0;
  return { count: count + unreadable, unknown, unreadable };
}

/** The letter for each type name that `stat --format %F` prints. */
const STAT_TYPES: Record<string, string> = {
  "regular file": "f",
  "regular empty file": "f",
  "directory": "d",
  "symbolic link": "l",
  "fifo": "p",
  "character special file": "c",
  "block special file": "b",
};

/**
 * Appends an entry to the file `path` for each member in `names`. The index does not say the type of these
 * members, so the entry has the type and the size of the restored file. If the restored file does not exist,
 * the type is `?`.
 */
async function listUnknown(
  directory: string,
  path: string,
  names: readonly string[],
  ports: RunPorts,
  children: Children,
): Promise<void> {
  if (names.length === 0) return;
  const list = join(ports.workDirectory, "unknown");
  await Deno.writeFile(list, joinNames(names));
  const found = new Map(
    (await statNames(directory, list, "%F %s", children)).map(([status, name]) => [name, status]),
  );
  await Deno.remove(list);
  const entries = names.map((name) => {
    const [, type, size] = /^(.*) (\d+)$/.exec(found.get(name) ?? "") ?? [];
    const letter = STAT_TYPES[type ?? ""] ?? "?";
    return `${letter} ${letter === "f" ? size : 0} ${name}\0`;
  });
  await Deno.writeFile(path, bytesOf(entries.join("")), { append: true });
}

/**
 * Returns a map with a key for each file that a hard link refers to: the file's name. All values are empty
 * texts. {@link listIndex} fills them in when it reads the index again. It needs all keys before that,
 * because in the index a file comes before the hard links to it.
 */
async function linkTargets(readIndex: ReadLines): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  const parser = new IndexParser();
  await readIndex((line) => {
    const member = parser.line(line);
    if (member?.type === "hardlink") targets.set(member.linkTarget!, "");
  });
  return targets;
}

function entryOf(
  type: Exclude<Member["type"], "unknown">,
  member: Member,
  targets: Map<string, string>,
): string {
  if (type === "hardlink") return targets.get(member.linkTarget!) ?? "?";
  return `${TYPES[type]} ${member.size}`;
}

async function listTree(directory: string, path: string, children: Children): Promise<void> {
  const files = ["-type", "f", "-fprintf", path, "f %s %P\\0"];
  const others = ["-fprintf", path, "%y 0 %P\\0"];
  await succeed(children, ["find", directory, "-mindepth", "1", "(", ...files, ")", "-o", ...others]);
}

async function succeed(children: Children, [program, ...args]: string[]): Promise<void> {
  const command = { program: program!, args, env: { LC_ALL: "C" } };
  const { exit, messages } = await capture(children, command);
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `${program} failed`);
}

/**
 * Compares two lists of members. Returns one line that states the number of differences and describes the
 * first difference. Returns null if the lists match.
 *
 * @param allowed The lists still match if `found` has at most this many members that `expected` does not
 *   have.
 */
async function firstDifference(
  expected: string,
  found: string,
  allowed: number,
  children: Children,
): Promise<string | null> {
  const child = children.spawn({
    program: "comm",
    args: ["-z", "-3", expected, found],
    env: { LC_ALL: "C" },
  }, { stdout: "piped", onMessage: () => {} });
  const differences = new Differences();
  for await (const chunk of child.stdout!) differences.push(chunk);
  const { code } = await child.exited;
  if (code !== 0) {
    throw new RunFailedError("the restored files can't be compared with the index: comm failed");
  }
  const { missing, extra } = differences;
  if (missing === 0 && extra <= allowed) return null;
  const [, type, size, name] = /^(\S) (\d+) (.*)$/s.exec(differences.first) ??
    [null, "?", "?", differences.first];
  const count = missing + extra;
  return `${count} ${
    count === 1 ? "difference" : "differences"
  } between what came back and its index, the first at ${name} (type ${type}, ${size} bytes)`;
}

const TAB = 9;

/**
 * Parses the output of `comm -z -3`, which compares two lists and prints the entries that only one of them
 * contains. An entry that only the first list contains is printed as is. An entry that only the second list
 * contains is printed after a tab.
 */
class Differences {
  missing = 0;
  extra = 0;
  #isStart = true;
  #isFirst = true;
  readonly #first: number[] = [];

  get first(): string {
    return printable(Uint8Array.from(this.#first));
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.#isStart) {
        if (byte === TAB) this.extra++;
        else this.missing++;
      }
      if (byte === 0) this.#isFirst = false;
      else if (this.#isFirst && !(this.#isStart && byte === TAB) && this.#first.length < MAX_FIRST_BYTES) {
        this.#first.push(byte);
      }
      this.#isStart = byte === 0;
    }
  }
}
