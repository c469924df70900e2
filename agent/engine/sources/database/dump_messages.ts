/** Interprets the error output and the exit code of programs that dump databases. */
import type { Exit } from "../../programs/children.ts";
import { type Output, SourceFailedError } from "../../ports.ts";
import { hint } from "./load_hints.ts";

/**
 * Matches the prefix of a warning, such as `pg_dump: warning: `, `-- Warning: ` or `mysqldump: [Warning] `.
 */
const WARNING = /^(?:[\w.-]+: )?(?:-- )?\[?warning\b\]?:?\s*/i;

export class DumpMessages {
  /** First line that is not a warning; null if there is none. Later lines are details or consequences. */
  #error: string | null = null;

  constructor(private readonly program: string, private readonly output: Output) {}

  read(line: string): void {
    if (line.trim() === "") return;
    if (WARNING.test(line)) this.output.warning(line.replace(WARNING, ""));
    else {
      this.#error ??= line.replace(/^[\w.-]+: (?:error: )?/i, "");
      this.output.line(line);
    }
  }

  /** Throws if the program did not exit with code 0. */
  check(exit: Exit, label: string): void {
    if (exit.code === 0 && exit.signal === null) return;
    const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
    throw new SourceFailedError(
      `Cannot dump ${label}: ${this.program} ${how}${
        this.#error === null ? "" : `: ${this.#error}${hint(this.#error)}`
      }`,
    );
  }
}

/** Throws if a dump is incomplete. A complete dump ends with its closing line. */
export function checkClosing(label: string, tail: Uint8Array, closing: RegExp): void {
  // Decode only the end, as Latin-1: the rest of a dump may contain any bytes.
  const text = new TextDecoder("latin1").decode(tail.subarray(-1024));
  if (!closing.test(text)) {
    throw new SourceFailedError(
      `Cannot trust the dump of ${label}: it lacks its closing line, so it is not complete`,
    );
  }
}
