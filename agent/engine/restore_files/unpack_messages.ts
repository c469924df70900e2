/**
 * Messages of GNU tar while it unpacks: which of them end the restore, which members tar could not create,
 * and which of their properties it could not set. tar exits with 2 in all of these cases.
 */
import { unquote } from "../archive/archive_index.ts";
import { displayName } from "../archive/display_name.ts";
import type { Output } from "../ports.ts";

/** tar(1) without --absolute-names; names and targets of hard links. */
const ESCAPES = /^Removing leading |Member name contains '\.\.'/;
const CLOSING = /Exiting with failure status due to previous errors$/;
const NO_ROOM = /No space left on device|Disk quota exceeded|: Wrote only \d+ of \d+ bytes$/;
/** Said of a tree that comes back whole. */
const HARMLESS =
  /time stamp .* in the future$|implausibly old time stamp|^Ignoring unknown extended header keyword/;

/** Properties that the agent, or the file system, lacks the right or the means to set. */
const PROPERTIES: readonly [RegExp, string][] = [
  [/: Cannot change ownership to /, "owner"],
  [/: Cannot change mode to /, "mode"],
  [/: Cannot utime: /, "time"],
  [/ Cannot set .* extended attribute /, "extended attribute"],
  [/ Cannot (?:set|drop) (?:default )?POSIX ACLs /, "access list"],
  [/ Cannot set SELinux context /, "SELinux context"],
];

const NAMED =
  /^"((?:[^"\\]|\\.)*)": Cannot (open|mkdir|mkfifo|mknod|create symlink|hard link)\b.*: ([^:]+)$/s;
const HARD_LINK =
  /^"((?:[^"\\]|\\.)*)": Cannot hard link to ‘(.*)’: (?:Operation not (?:permitted|supported)|Function not implemented|Too many links|Invalid argument)$/s;
/** Reasons that lie in a member's name or type: other members are not concerned. */
const MEMBERS_OWN =
  /^(?:File name too long|Operation not (?:permitted|supported)|Function not implemented|Invalid argument|Invalid or incomplete multibyte or wide character|File exists|No such file or directory)$/;
/** Truncated line, which shows nothing but the start of a name that is too long. */
const CUT = /^"\.\/.* … \(cut\)$/s;

/** How many lines of one kind the output names; the rest are counted. */
const SHOWN = 20;

/** Counts lines of the same kind, and writes the first of each. */
export class FoldedWarnings {
  readonly #counts = new Map<string, number>();

  constructor(private readonly output: Output) {}

  add(kind: string, line: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= SHOWN) this.output.warning(line);
  }

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Writes how many lines of each kind were left out. */
  end(): void {
    for (const [kind, count] of this.#counts) {
      if (count > SHOWN) this.output.warning(`${kind}: ${count - SHOWN} more like this`);
      this.#counts.set(kind, 0);
    }
  }
}

/** The property that a line says can't be set; null where it says something else. */
export function unsetProperty(line: string): string | null {
  return PROPERTIES.find(([expression]) => expression.test(line))?.[1] ?? null;
}

/** tar's message without its own name, which may be a path. */
export function withoutProgram(line: string): string {
  return line.replace(/^(?:\S*\/)?tar: /, "");
}

/** Whether a line says no more than that there were others. */
export function isClosing(line: string): boolean {
  return CLOSING.test(line);
}

export class UnpackMessages {
  /** The first message that means that the rest of the archive, too, may not be where it belongs. */
  cause: string | null = null;
  hasNoRoom = false;
  /**
   * A name that no archive of ours holds: tar would go on without the part that leads out of the directory.
   */
  escape: string | null = null;
  /** Members that were not made, as byte strings without `./`; those whose name was cut are only counted. */
  readonly skipped = new Set<string>();
  skippedCount = 0;
  #hasUnset = false;
  /** Further names of files, on a file system that knows no hard links. */
  readonly hardLinks: { name: string; target: string }[] = [];

  constructor(private readonly output: Output, private readonly warnings: FoldedWarnings) {}

  readonly read = (line: string): void => {
    const text = withoutProgram(line);
    if (isClosing(text)) return;
    if (ESCAPES.test(text)) this.escape ??= text;
    const property = unsetProperty(text);
    if (property !== null) {
      this.#hasUnset = true;
      return this.warnings.add(`${property} not set`, text);
    }
    const linked = HARD_LINK.exec(text);
    if (linked !== null) {
      return void this.hardLinks.push({ name: memberName(linked[1]!), target: memberName(linked[2]!) });
    }
    const member = NAMED.exec(text);
    if (member !== null && isMembersOwn(member[2]!, member[3]!)) {
      const [, name] = member;
      return this.skip(memberName(name!), text.slice(name!.length + '"": '.length));
    }
    if (CUT.test(text)) {
      this.skippedCount++;
      return this.warnings.add("not restored", `Not restored, its path is too long: ${text}`);
    }
    if (NO_ROOM.test(text)) this.hasNoRoom = true;
    if (!HARMLESS.test(text)) this.cause ??= text;
    this.output.warning(text);
  };

  /** Whether tar named a reason to exit with 2 that does not end the restore. */
  get hasProblems(): boolean {
    return this.#hasUnset || this.skippedCount > 0 || this.hardLinks.length > 0;
  }

  copied(name: string, target: string): void {
    this.warnings.add("copied", `A copy, not a hard link to ${displayName(target)}: ${displayName(name)}`);
  }

  /** Notes a member that is not restored. */
  skip(name: string, reason: string): void {
    // tar tries a directory again for each of its members.
    if (this.skipped.has(name)) return;
    this.skipped.add(name);
    this.skippedCount++;
    this.warnings.add("not restored", `Not restored: ${displayName(name)}: ${reason}`);
  }
}

function isMembersOwn(action: string, reason: string): boolean {
  return MEMBERS_OWN.test(reason) || ((action === "mkfifo" || action === "mknod") && !NO_ROOM.test(reason));
}

/** From a name as tar quotes it, without the quotes. */
function memberName(quoted: string): string {
  return unquote(`"${quoted}"`).replace(/^\.\//, "").replace(/\/+$/, "");
}
