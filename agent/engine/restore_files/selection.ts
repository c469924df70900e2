/** Selects the archive members that a restore unpacks, with the help of the index. */
import type { FrameTable, Member, UnreadableLines } from "../archive/archive_index.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { joinRanges, type Range } from "../archive/archive_ranges.ts";
import { byteString } from "../archive/bytes.ts";
import { oneLine } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";
import { type Contents, MemberCount } from "./survey.ts";
import { displayName, isEscaped, nameFromDisplay } from "../archive/display_name.ts";

const BLOCK_BYTES = 512;

/** The part of a backup that is restored: everything, or the members below some paths. */
export type RestoreScope = { readonly kind: "whole" } | Selection;

export interface Selection {
  readonly kind: "selection";
  /** The requested paths, as byte strings without `./`, relative to the source's root. */
  roots: string[];
  /**
   * Positions in the archive of the members to unpack: the chosen members, the directories above them, and
   * the files that chosen hard links refer to.
   */
  ranges: Range[];
  /** The index's frame table; null if the index has none. */
  table: FrameTable | null;
  /** Names of the chosen directories. `others` holds the names of all other chosen members. */
  directories: string[];
  others: string[];
  /** Names of the members that are unpacked only because chosen hard links refer to them. */
  extras: string[];
  /** The chosen members, counted. */
  contents: Contents;
}

/** Reads an index from its start and calls `take` for each line. Can be called repeatedly. */
export type ReadLines = (take: (line: string) => void) => Promise<void>;

/**
 * Returns the selection of the members at and below the paths. Rejects if the backup has nothing under one of
 * the paths.
 */
export async function select(paths: readonly string[], readLines: ReadLines): Promise<Selection> {
  let roots = [...new Set(paths.map(byteString))];
  let chosen = new Choice(roots);
  let index = await readMembers(readLines, (member, range) => chosen.take(member, range));
  if (chosen.missing().some(isEscaped)) {
    // A requested path that no member has might be a display name.
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
    // The index lists a file before its hard links, so the first pass did not know which files are
    // linked. The second pass finds these files.
    await readMembers(readLines, (member, range) => {
      if (!links.has(member.name)) return;
      extras.push(member.name);
      chosen.count.addLinked(member);
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
    contents: chosen.count.contents,
  };
}

/** The contents of an index besides its members. */
export interface IndexEnd {
  table: FrameTable | null;
  unreadable: UnreadableLines | null;
}

/**
 * Calls `take` with each member and its range in the archive. A range ends where the next member starts. If
 * the index does not contain the archive's size, the last range has no end. Returns the frame table and the
 * unreadable lines.
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
  readonly count = new MemberCount();
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
      // Also unpack the directories above chosen members. These directories then get their own owners and
      // modes.
      if (member.type === "directory" && this.#ancestors.has(member.name)) this.ranges.push(range);
      return;
    }
    this.#found.add(root);
    this.ranges.push(range);
    this.count.add(member, range);
    (member.type === "directory" ? this.directories : this.others).push(member.name);
    this.#names.add(member.name);
    if (member.type === "hardlink") this.#links.add(member.linkTarget!);
  }

  missing(): string[] {
    return [...this.#roots].filter((root) => !this.#found.has(root));
  }

  /** Returns the names that chosen hard links refer to and that are not chosen themselves. */
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

/** Returns the name of the directory that contains an entry; empty if this directory is the root. */
export function parentOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf("/"), 0));
}

/** Calls `take` for all members except the root directory. */
export async function listMembers(
  readLines: ReadLines,
  take: (name: string, isDirectory: boolean) => void,
): Promise<void> {
  await readMembers(readLines, ({ name, type }) => {
    if (name !== "") take(name, type === "directory");
  });
}
