/** What a program that loads a dump says on stderr, and what its exit then means. */
import type { Exit } from "../children.ts";
import { oneLine } from "../line.ts";
import { type Output, RunFailedError } from "../ports.ts";

/** `pg_restore: warning: …`, `psql:<stdin>:12: WARNING:  …`. */
const WARNING = /^(?:\S+: )?warning:\s*/i;
/** `pg_restore: error: …`, `psql:<stdin>:12: ERROR:  …`, `ERROR 1064 (42000) at line 3: …`, `psql: error: …`. */
const ERROR = /^(?:\S+: )?(?:error|fatal|panic)\b:?\s*/i;

export class LoadMessages {
  #error: string | null = null;
  #first: string | null = null;
  readonly #program: string;

  constructor(program: string, private readonly output: Output) {
    this.#program = program.slice(program.lastIndexOf("/") + 1);
  }

  /** Lines between errors and warnings are left out: they quote the statement, which may hold a password. */
  readonly read = (line: string): void => {
    if (WARNING.test(line)) this.output.warning(oneLine(line.replace(WARNING, "")));
    else if (ERROR.test(line)) this.#error ??= line.replace(ERROR, "");
    else if (line.trim() !== "") this.#first ??= line;
  };

  check(exit: Exit, label: string): void {
    if (exit.code === 0 && exit.signal === null) return;
    const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
    const said = this.#error ?? this.#first;
    throw new RunFailedError(
      `${label} can't be loaded: ${this.#program} ${how}${said === null ? "" : `: ${said}${hint(said)}`}`,
    );
  }
}

function hint(said: string): string {
  if (/role ".*" does not exist/.test(said)) return ". Create it, or restore the roles first.";
  if (/No space left on device|is full/i.test(said)) return ". Free some room on the database's server.";
  return "";
}
