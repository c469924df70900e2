/** Shows the progress and the results of a run of the tests. */
import { parseResult, parseSummary, type Result, type Summary } from "./results.ts";

/** Where a report is written, such as stdout. */
export interface Output {
  write(text: string): void;
  /** The width of the terminal; null if the output is not a terminal. */
  columns(): number | null;
}

const SLOWEST = 10;
/** Minimum duration of a test in the list of the slowest tests, in milliseconds. */
const NOTABLE_MS = 100;
const CLEAR = "\r\x1b[K";

/**
 * Writes the report. On a terminal, the report has one line of progress, and a line for each test that fails
 * or is skipped. Without a terminal, it has a line for every test. In both cases, it contains all other
 * output of the tests. It ends with a list of the slowest tests.
 */
export class Report {
  summary: Summary | null = null;
  readonly #started = performance.now();
  readonly #counts = { ok: 0, FAILED: 0, ignored: 0 };
  readonly #files = new Set<string>();
  #slowest: Result[] = [];
  #rest = "";

  constructor(private readonly output: Output, private readonly files: number) {}

  /** Takes a piece of the output of `deno test`. */
  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    let shown = "";
    for (const line of lines) {
      if (this.#shows(line)) shown += `${line}\n`;
    }
    if (this.output.columns() === null) this.output.write(shown);
    else this.output.write(CLEAR + shown + this.#progress());
  }

  /** Draws the line of progress again, because time has passed. */
  tick(): void {
    if (this.output.columns() !== null) this.output.write(CLEAR + this.#progress());
  }

  end(): void {
    if (this.output.columns() !== null) this.output.write(CLEAR);
    if (this.#rest !== "") this.output.write(`${this.#rest}\n`);
    if (this.#slowest.length === 0) return;
    const lines = this.#slowest.map(({ file, name, milliseconds }) =>
      `${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${file} => ${name}\n`
    );
    this.output.write(`The slowest tests:\n${lines.join("")}`);
  }

  #shows(line: string): boolean {
    this.summary = parseSummary(line) ?? this.summary;
    const result = parseResult(line);
    if (result === null) return true;
    this.#files.add(result.file);
    const isStep = result.name.includes(" ... ");
    if (!isStep) this.#counts[result.outcome]++;
    if (!isStep && result.milliseconds >= NOTABLE_MS) {
      this.#slowest = [...this.#slowest, result].sort((a, b) => b.milliseconds - a.milliseconds)
        .slice(0, SLOWEST);
    }
    return this.output.columns() === null || result.outcome !== "ok";
  }

  #progress(): string {
    const seconds = Math.floor((performance.now() - this.#started) / 1000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const { ok, FAILED, ignored } = this.#counts;
    const skipped = ignored > 0 ? `, ${ignored} skipped` : "";
    const line =
      `${time}  ${this.#files.size} of ${this.files} files, ${ok} passed, ${FAILED} failed${skipped}`;
    return line.slice(0, this.output.columns()! - 1);
  }
}
