/**
 * Interprets GNU tar's stderr: messages about files that changed, or could not be read while tar continued.
 * Recognizes them by their wording, which `LC_ALL` keeps in English; tar(1) has no other way to distinguish
 * them.
 */
import { unquote } from "../../archive/archive_index.ts";
import type { Output } from "../../ports.ts";

const UNREADABLE = /: (?:Warning: )?(?:Cannot (?:open|read|readlink|savedir|stat|fstat|seek)|Read error)\b/;
/** The file changed its type between tar's lookup and its opening. */
const ANOTHER_KIND =
  /: Warning: Cannot open: (?:Not a directory|Too many levels of symbolic links|No such device or address)$/;
const CHANGED =
  /: (?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes?.*)$/;
const NOTED = /: (?:socket|door) ignored$/;
const OTHER_FILE_SYSTEM = /^(.*): file is on a different filesystem; not dumped$/;
const CLOSING =
  /(?:Exiting with failure status due to previous errors|Error is not recoverable: exiting now)$/;

export class TarMessages {
  /** Files that changed or vanished while they were read. */
  changed = 0;
  unreadable = 0;
  /** The first file that could not be read, with tar's reason. */
  firstUnreadable: string | null = null;
  /** Last message of another kind. */
  lastError: string | null = null;

  /** @param knownMounts Names of mounts that the output already reports, relative to the root. */
  constructor(
    private readonly output: Output,
    private readonly allowUnreadable: boolean,
    private readonly knownMounts: ReadonlySet<string> = new Set(),
  ) {}

  read(line: string): void {
    const text = line.replace(/^tar: /, "").replace(": Warning: ", ": ");
    // For its own archive or a directory on the command line, tar stops and does not print `Warning`.
    if (ANOTHER_KIND.test(line)) this.#countChanged(`${text}: it became something else meanwhile`);
    else if (UNREADABLE.test(line) && line.includes(": Warning: ")) this.#countUnreadable(text);
    else if (CHANGED.test(line)) this.#countChanged(text);
    else if (NOTED.test(line)) this.output.line(`Left out: ${text}`);
    else if (OTHER_FILE_SYSTEM.test(text)) this.#leaveOut(text);
    else if (CLOSING.test(line)) this.output.line(line);
    else {
      // A warning is the reason of a failure only if tar prints no other.
      if (this.lastError === null || !line.includes(": Warning: ")) this.lastError = text;
      this.output.warning(text);
    }
  }

  #countChanged(text: string): void {
    this.changed++;
    this.output.warning(text);
  }

  #leaveOut(text: string): void {
    const name = unquote(OTHER_FILE_SYSTEM.exec(text)![1]!).replace(/^\.\//, "").replace(/\/$/, "");
    if (!this.knownMounts.has(name)) this.output.warning(`Left out: ${text}`);
  }

  #countUnreadable(text: string): void {
    this.unreadable++;
    this.firstUnreadable ??= text;
    if (this.allowUnreadable) this.output.warning(text);
    else this.output.line(`Unreadable: ${text}`);
  }
}
