/**
 * Parses the messages that GNU tar writes while it unpacks. A message reports one of three problems: an error
 * that ends the restore, a member that tar could not create, or a property that tar could not set. tar exits
 * with 2 in all three cases.
 */
import { unquote } from "../archive/archive_index.ts";
import { displayName } from "../archive/display_name.ts";
import type { Output } from "../ports.ts";

/**
 * Messages about names and hard links that lead out of the directory into which tar unpacks. tar writes these
 * messages if it runs without --absolute-names.
 */
const ESCAPES = /^Removing leading |Member name contains '\.\.'/;
const CLOSING = /Exiting with failure status due to previous errors$/;
const NO_ROOM = /No space left on device|Disk quota exceeded|: Wrote only \d+ of \d+ bytes$/;
/** Messages about members that were restored completely. */
const HARMLESS =
  /time stamp .* in the future$|implausibly old time stamp|^Ignoring unknown extended header keyword/;

/**
 * Messages about properties that could not be set, each with the property's name. Either the agent is not
 * allowed to set the property, or the file system does not support it.
 */
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
/** Reasons that concern only one member, because of its name or type. */
const MEMBER_REASONS =
  /^(?:File name too long|Operation not (?:permitted|supported)|Function not implemented|Invalid argument|Invalid or incomplete multibyte or wide character|File exists|No such file or directory)$/;
/** A message that was cut off within a member's name because the name is too long. */
const CUT = /^"\.\/.* … \(cut\)$/s;

/** Maximum number of warnings with the same `kind` in the output. Further warnings are only counted. */
const SHOWN = 20;

/** Writes warnings to the output, at most `SHOWN` with the same `kind`. */
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

  /** Writes for each `kind` how many warnings were left out. */
  end(): void {
    for (const [kind, count] of this.#counts) {
      if (count > SHOWN) this.output.warning(`${kind}: ${count - SHOWN} more like this`);
      this.#counts.set(kind, 0);
    }
  }
}

/** If the line says that tar could not set a property, returns that property. Otherwise returns null. */
export function unsetProperty(line: string): string | null {
  return PROPERTIES.find(([expression]) => expression.test(line))?.[1] ?? null;
}

/** Returns tar's message without the program's name in front. The message might name tar by its path. */
export function withoutProgram(line: string): string {
  return line.replace(/^(?:\S*\/)?tar: /, "");
}

/** Returns whether a message only says that tar has reported errors before. */
export function isClosing(line: string): boolean {
  return CLOSING.test(line);
}

export class UnpackMessages {
  /**
   * The first message after which the rest of the archive might be restored incorrectly. Null if there was no
   * such message.
   */
  cause: string | null = null;
  hasNoRoom = false;
  /**
   * The message about a name that leads out of the directory; null if there was none. tar restores such a
   * member under a shorter name, without the part that leads out. A backup's own archive never contains such
   * a name.
   */
  escape: string | null = null;
  /**
   * Names of members that could not be created, as byte strings without `./`. `skippedCount` also counts the
   * members whose names were cut off.
   */
  readonly skipped = new Set<string>();
  skippedCount = 0;
  #hasUnset = false;
  /** Hard links that could not be created because the file system does not support them. */
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

  /** Whether tar reported a problem that does not end the restore but makes tar exit with 2. */
  get hasProblems(): boolean {
    return this.#hasUnset || this.skippedCount > 0 || this.hardLinks.length > 0;
  }

  copied(name: string, target: string): void {
    this.warnings.add("copied", `A copy, not a hard link to ${displayName(target)}: ${displayName(name)}`);
  }

  /** Records a member that was not restored, and warns about it once. */
  skip(name: string, reason: string): void {
    // tar tries to create a missing directory again for each member in it, and reports each attempt.
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

/** Returns the member's name from tar's quoted form. `quoted` does not include the quotes. */
function memberName(quoted: string): string {
  return unquote(`"${quoted}"`).replace(/^\.\//, "").replace(/\/+$/, "");
}
