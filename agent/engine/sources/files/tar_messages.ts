/**
 * Parses GNU tar's stderr. Finds the messages about files that changed, and about files that tar could not
 * read and skipped. Messages are recognized by their wording, because nothing else distinguishes them.
 * `LC_ALL` keeps the wording in English.
 */
import { unquote } from "../../archive/archive_index.ts";
import type { Output } from "../../ports.ts";

const UNREADABLE = /: (?:Warning: )?(?:Cannot (?:open|read|readlink|savedir|stat|fstat|seek)|Read error)\b/;
/** Messages about a file that was replaced by a file of another type after tar had found it. */
const ANOTHER_KIND =
  /: Warning: Cannot open: (?:Not a directory|Too many levels of symbolic links|No such device or address)$/;
const CHANGED =
  /: (?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes?.*)$/;
const NOTED = /: (?:socket|door) ignored$/;
const OTHER_FILE_SYSTEM = /^(.*): file is on a different filesystem; not dumped$/;
const CLOSING =
  /(?:Exiting with failure status due to previous errors|Error is not recoverable: exiting now)$/;

export class TarMessages {
  /** Number of files that changed or vanished while they were read. */
  changed = 0;
  unreadable = 0;
  /** The message about the first file that could not be read; null if there is none. */
  firstUnreadable: string | null = null;
  /** The last error message that is not about a file of the source; null if there is none. */
  lastError: string | null = null;

  /**
   * @param knownMounts Mounts that the run's output already mentions. Each is a path relative to the root.
   */
  constructor(
    private readonly output: Output,
    private readonly allowUnreadable: boolean,
    private readonly knownMounts: ReadonlySet<string> = new Set(),
  ) {}

  read(line: string): void {
    const text = line.replace(/^tar: /, "").replace(": Warning: ", ": ");
    // tar prints `Warning` only if it continues. If it can't read the archive itself or a directory in its
    // arguments, it prints no `Warning` and stops.
    if (ANOTHER_KIND.test(line)) this.#countChanged(`${text}: it became something else meanwhile`);
    else if (UNREADABLE.test(line) && line.includes(": Warning: ")) this.#countUnreadable(text);
    else if (CHANGED.test(line)) this.#countChanged(text);
    else if (NOTED.test(line)) this.output.line(`Left out: ${text}`);
    else if (OTHER_FILE_SYSTEM.test(text)) this.#leaveOut(text);
    else if (CLOSING.test(line)) this.output.line(line);
    else {
      // Prefer a message without `Warning` as the reason of a failure.
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
