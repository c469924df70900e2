/** What a dump program says on stderr, and what its exit then means. */
import type { Exit } from "../../programs/children.ts";
import { type Output, SourceFailedError } from "../../ports.ts";
import { hint } from "./load_hints.ts";

/** `pg_dump: warning: …`, `-- Warning: …`, `mysqldump: [Warning] …`. */
const WARNING = /^(?:[\w.-]+: )?(?:-- )?\[?warning\b\]?:?\s*/i;

export class DumpMessages {
  /** The first line that is no warning: later ones are details or consequences. */
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

  /** Only exit 0 is a dump. */
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

/** The dump's last words must be there, and nothing after them. */
export function checkClosing(label: string, tail: Uint8Array, closing: RegExp): void {
  // Only the end counts, and a dump may hold any bytes before it.
  const text = new TextDecoder("latin1").decode(tail.subarray(-1024));
  if (!closing.test(text)) {
    throw new SourceFailedError(
      `Cannot trust the dump of ${label}: it lacks its closing line, so it is not complete`,
    );
  }
}
