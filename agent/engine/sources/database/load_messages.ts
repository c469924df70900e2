/** Interprets the error output and the exit code of programs that load dumps. */
import type { Exit } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import { hint } from "./load_hints.ts";

/** Matches the prefix of a warning, such as `pg_restore: warning: ` or `psql:<stdin>:12: WARNING:  `. */
const WARNING = /^(?:\S+: )?warning:\s*/i;
/**
 * Matches the prefix of an error, such as `pg_restore: error: `, `psql:<stdin>:12: ERROR:  `, `ERROR 1064
 * (42000) at line 3: ` or `psql: error: `.
 */
const ERROR = /^(?:\S+: )?(?:error|fatal|panic)\b:?\s*/i;
/** Matches messages of psql with `VERBOSITY=verbose`. Their code is the same in every language. */
const CODED = /^psql:.*?:\d+: [^:]+:\s+([0-9A-Z]{5}): (.*)$/;
/** Matches codes (SQLSTATE) of successes and warnings. */
const HARMLESS_CODE = /^0[012]/;
/**
 * Last line of pg_restore if it continued after errors. Without this line, pg_restore did not reach the end
 * of the dump.
 */
const IGNORED = /^pg_restore: warning: errors ignored on restore: (\d+)$/;
const STATEMENT = /^Command was: /;
/** Maximum number of errors that are listed one by one. */
const LISTED = 100;

export interface LoadError {
  readonly message: string;
  /** First line of the statement that failed; null if the program does not print it. */
  readonly statement: string | null;
}

export interface LoadRules {
  /**
   * Whether the load continues after errors. Errors then become warnings, and the load succeeds with what
   * could be loaded.
   */
  readonly continuesOnErrors?: boolean;
  /** Returns true if an error has no effect, or if it is corrected later. Such an error is not reported. */
  isExpected?(error: LoadError): boolean;
  /**
   * Returns the warning that replaces an error, if the error loses no data. Returns null for other errors.
   */
  warningFor?(error: LoadError): string | null;
}

export class LoadMessages {
  #error: string | null = null;
  #first: string | null = null;
  #pending: LoadError | null = null;
  /** Number of errors that were tolerated. */
  #passed = 0;
  #continued = 0;
  #ignored: number | null = null;
  readonly #program: string;

  constructor(program: string, private readonly output: Output, private readonly rules: LoadRules = {}) {
    this.#program = program.slice(program.lastIndexOf("/") + 1);
  }

  /**
   * Reads a line of the error output. Drops lines that are neither errors nor warnings. Such lines quote
   * statements, and statements may contain passwords.
   */
  readonly read = (line: string): void => {
    const coded = CODED.exec(line);
    const ignored = IGNORED.exec(line)?.[1];
    if (ignored !== undefined) this.#ignored = Number(ignored);
    else if (coded !== null) this.#coded(coded[1]!, coded[2]!);
    else if (STATEMENT.test(line) && this.#pending !== null) {
      this.#pending = { ...this.#pending, statement: line.replace(STATEMENT, "") };
    } else if (WARNING.test(line)) this.output.warning(oneLine(line.replace(WARNING, "")));
    else if (ERROR.test(line)) this.#begin(line.replace(ERROR, ""));
    else if (line.trim() !== "") this.#first ??= line;
  };

  check(exit: Exit, label: string): void {
    this.#settle();
    if (this.#continued > 0) {
      const more = this.#continued > LISTED ? `; the first ${LISTED} are listed above` : "";
      this.output.line(
        `${label}: ${this.#continued} errors were passed over, as continue_on_errors is set${more}`,
      );
    }
    if (exit.code === 0 && exit.signal === null) return;
    if (this.#wentOn(exit)) return;
    const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
    const message = this.#error ?? this.#first;
    throw new RunFailedError(
      `${label} can't be loaded: ${this.#program} ${how}${
        message === null ? "" : `: ${message}${hint(message)}`
      }`,
    );
  }

  /** Whether pg_restore executed the whole dump and had only errors that were tolerated. */
  #wentOn(exit: Exit): boolean {
    return this.#program === "pg_restore" && exit.code === 1 && this.#error === null &&
      this.#ignored !== null &&
      this.#ignored === this.#passed;
  }

  #coded(code: string, text: string): void {
    if (!HARMLESS_CODE.test(code)) this.#begin(text);
    else if (!code.startsWith("00")) this.output.warning(oneLine(text));
  }

  #begin(message: string): void {
    this.#settle();
    this.#pending = { message, statement: null };
  }

  /**
   * Decides whether the last error is tolerated. After the error, the program can print the failed statement
   * in a separate line. This method is called once that line was read, or once it is certain that no such
   * line follows.
   */
  #settle(): void {
    const error = this.#pending;
    this.#pending = null;
    if (error === null) return;
    const warning = this.rules.warningFor?.(error) ?? null;
    if (warning !== null) this.output.warning(oneLine(warning));
    if (warning !== null || this.rules.isExpected?.(error)) this.#passed++;
    else if (this.rules.continuesOnErrors) {
      this.#passed++;
      if (++this.#continued <= LISTED) this.output.warning(oneLine(`${error.message}${hint(error.message)}`));
    } else this.#error ??= error.message;
  }
}
