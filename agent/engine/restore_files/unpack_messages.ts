/**
 * Interprets messages of GNU tar while it unpacks: errors that end the restore, members that tar could not
 * create, and properties that it could not set. tar exits with 2 in all of these cases.
 */
import { unquote } from "../archive/archive_index.ts";
import { displayName } from "../archive/display_name.ts";
import type { Output } from "../ports.ts";

/**
 * Messages about names and hard link targets that lead out of the directory; tar(1), without
 * --absolute-names.
 */
const ESCAPES = /^Removing leading |Member name contains '\.\.'/;
const CLOSING = /Exiting with failure status due to previous errors$/;
const NO_ROOM = /No space left on device|Disk quota exceeded|: Wrote only \d+ of \d+ bytes$/;
/** Messages about members that are restored completely. */
const HARMLESS =
  /time stamp .* in the future$|implausibly old time stamp|^Ignoring unknown extended header keyword/;

/** Properties that the agent may not set, or that the file system does not support. */
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
/** Reasons that apply to one member because of its name or type. */
const MEMBER_REASONS =
  /^(?:File name too long|Operation not (?:permitted|supported)|Function not implemented|Invalid argument|Invalid or incomplete multibyte or wide character|File exists|No such file or directory)$/;
/** Truncated line, which contains only the start of a name that is too long. */
const CUT = /^"\.\/.* … \(cut\)$/s;

/** Maximum number of lines of one kind in the output; the rest are counted. */
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

/** Returns the property that a line says cannot be set, or null. */
export function unsetProperty(line: string): string | null {
  return PROPERTIES.find(([expression]) => expression.test(line))?.[1] ?? null;
}

/** Returns tar's message without the program's name, which may be a path. */
export function withoutProgram(line: string): string {
  return line.replace(/^(?:\S*\/)?tar: /, "");
}

/** Whether a line only says that there were other errors. */
export function isClosing(line: string): boolean {
  return CLOSING.test(line);
}

export class UnpackMessages {
  /** First message after which the rest of the archive may not be restored correctly. */
  cause: string | null = null;
  hasNoRoom = false;
  /**
   * Message about a name that leads out of the directory. No archive of a backup contains one: tar would
   * restore it without the part that leads out.
   */
  escape: string | null = null;
  /**
   * Members that could not be created, as byte strings without `./`; those with a truncated name are only
   * counted.
   */
  readonly skipped = new Set<string>();
  skippedCount = 0;
  #hasUnset = false;
  /** Further names of files, on a file system without hard links. */
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
    if (member !== null && isMemberProblem(member[2]!, member[3]!)) {
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

  /** Whether tar reported a reason to exit with 2 that does not end the restore. */
  get hasProblems(): boolean {
    return this.#hasUnset || this.skippedCount > 0 || this.hardLinks.length > 0;
  }

  copied(name: string, target: string): void {
    this.warnings.add("copied", `A copy, not a hard link to ${displayName(target)}: ${displayName(name)}`);
  }

  /** Records a member that is not restored. */
  skip(name: string, reason: string): void {
    // tar tries to create a directory again for each of its members.
    if (this.skipped.has(name)) return;
    this.skipped.add(name);
    this.skippedCount++;
    this.warnings.add("not restored", `Not restored: ${displayName(name)}: ${reason}`);
  }
}

function isMemberProblem(action: string, reason: string): boolean {
  return MEMBER_REASONS.test(reason) ||
    ((action === "mkfifo" || action === "mknod") && !NO_ROOM.test(reason));
}

/** Returns the name that tar quotes, given without the quotes. */
function memberName(quoted: string): string {
  return unquote(`"${quoted}"`).replace(/^\.\//, "").replace(/\/+$/, "");
}
