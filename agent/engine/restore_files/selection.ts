/** Selects the members of an archive that a restore takes, by its index. */
import type { FrameTable, Member, UnreadableLines } from "../archive/archive_index.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { joinRanges, type Range } from "../archive/archive_ranges.ts";
import { byteString } from "../archive/bytes.ts";
import { oneLine } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";
import { displayName, isEscaped, nameFromDisplay } from "../archive/display_name.ts";

const BLOCK_BYTES = 512;

/** How much of a backup a restore takes: everything, or the members below some paths. */
export type RestoreScope = { readonly kind: "whole" } | Selection;

export interface Selection {
  readonly kind: "selection";
  /** Requested paths, as byte strings; relative, without `./`. */
  roots: string[];
  /**
   * Positions of the chosen members, of the directories above them and of the targets of their hard links.
   */
  ranges: Range[];
  /** Null if the index has no frame table. */
  table: FrameTable | null;
  /** Chosen directories; `others` are all other chosen members. */
  directories: string[];
  others: string[];
  /** Members that are unpacked only as targets of hard links. */
  extras: string[];
}

/** Reads an index from its start, line by line. Can be called again. */
export type ReadLines = (take: (line: string) => void) => Promise<void>;

/** Selects members. Rejects if the backup has nothing under one of the paths. */
export async function select(paths: readonly string[], readLines: ReadLines): Promise<Selection> {
  let roots = [...new Set(paths.map(byteString))];
  let chosen = new Choice(roots);
  let index = await readMembers(readLines, (member, range) => chosen.take(member, range));
  if (chosen.missing().some(isEscaped)) {
    // A path that does not exist as such may be one that a listing displays.
    const missing = new Set(chosen.missing());
    const names = paths.map((path) =>
      missing.has(byteString(path)) ? nameFromDisplay(path) : byteString(path)
    );
    roots = [...new Set(names)];
    chosen = new Choice(roots);
    index = await readMembers(readLines, (member, range) => chosen.take(member, range));
  }
  if (index.unreadable !== null) {
    throw new RunFailedError(
      `single paths can't be found in it reliably: its index has the line ${
        oneLine(JSON.stringify(index.unreadable.first))
      }. Restore all of it`,
    );
  }
  const [missing] = chosen.missing();
  if (missing !== undefined) {
    throw new RunFailedError(`it holds nothing under ${oneLine(JSON.stringify(displayName(missing)))}`);
  }
  const links = chosen.linkTargets();
  const extras: string[] = [];
  if (links.size > 0) {
    // A hard link comes after its target, so the target was read before the choice was known.
    await readMembers(readLines, (member, range) => {
      if (!links.has(member.name)) return;
      extras.push(member.name);
      chosen.ranges.push(range);
    });
  }
  const { directories, others } = chosen;
  return {
    kind: "selection",
    roots,
    ranges: joinRanges(chosen.ranges),
    table: index.table,
    directories,
    others,
    extras,
  };
}

/** Frame table and unreadable lines of an index. */
export interface IndexEnd {
  table: FrameTable | null;
  unreadable: UnreadableLines | null;
}

/**
 * Reads every member with its range in the archive, which ends where the next one starts. The last range has
 * no end if the index does not contain the archive's size.
 */
export async function readMembers(
  readLines: ReadLines,
  take: (member: Member, range: Range) => void,
): Promise<IndexEnd> {
  const parser = new IndexParser();
  let before: Member | null = null;
  const end = (to: number) => {
    if (before !== null) take(before, { from: before.block * BLOCK_BYTES, to });
  };
  await readLines((line) => {
    const member = parser.line(line);
    if (member === null) return;
    end(member.block * BLOCK_BYTES);
    before = member;
  });
  const table = parser.table();
  end(table?.size ?? Infinity);
  return { table, unreadable: parser.unreadable };
}

class Choice {
  readonly ranges: Range[] = [];
  readonly directories: string[] = [];
  readonly others: string[] = [];
  readonly #found = new Set<string>();
  readonly #names = new Set<string>();
  readonly #links = new Set<string>();
  readonly #roots: Set<string>;
  readonly #ancestors = new Set<string>([""]);

  constructor(roots: readonly string[]) {
    this.#roots = new Set(roots);
    for (const name of roots.flatMap(directoriesAbove)) this.#ancestors.add(name);
  }

  take(member: Member, range: Range): void {
    const root = this.#rootOf(member.name);
    if (root === null) {
      // Directories above chosen members are unpacked with their own owners and modes.
      if (member.type === "directory" && this.#ancestors.has(member.name)) this.ranges.push(range);
      return;
    }
    this.#found.add(root);
    this.ranges.push(range);
    (member.type === "directory" ? this.directories : this.others).push(member.name);
    this.#names.add(member.name);
    if (member.type === "hardlink") this.#links.add(member.linkTarget!);
  }

  missing(): string[] {
    return [...this.#roots].filter((root) => !this.#found.has(root));
  }

  /** Returns the targets of chosen hard links that are not chosen themselves. */
  linkTargets(): Set<string> {
    return new Set([...this.#links].filter((name) => !this.#names.has(name)));
  }

  #rootOf(name: string): string | null {
    for (let at = name; at !== ""; at = parentOf(at)) if (this.#roots.has(at)) return at;
    return null;
  }
}

/** Returns the directories above a name, except the root. */
export function directoriesAbove(name: string): string[] {
  const above: string[] = [];
  for (let at = parentOf(name); at !== ""; at = parentOf(at)) above.push(at);
  return above;
}

/** Returns the directory above a name; empty for an entry of the root. */
export function parentOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf("/"), 0));
}

/** Lists the names of all members except the root. */
export async function listMembers(
  readLines: ReadLines,
  take: (name: string, isDirectory: boolean) => void,
): Promise<void> {
  await readMembers(readLines, ({ name, type }) => {
    if (name !== "") take(name, type === "directory");
  });
}
