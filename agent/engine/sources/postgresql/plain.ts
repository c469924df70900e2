/**
 * Edits a plain SQL dump of PostgreSQL before psql reads it. Removes statements that the server does not
 * support or that are not wanted. Rows, strings and function bodies stay unchanged.
 */
import type { UncheckedForeignKey } from "../database/row_counts.ts";
import { bytesOf, latin1 } from "../../archive/bytes.ts";

export interface PlainEdits {
  /**
   * Names of the settings that the server knows. The dump starts with `SET` statements; those for other
   * settings are removed. Null if the server knows all settings of the dump.
   */
  readonly settings: ReadonlySet<string> | null;
  /** Whether to keep statements that set owners and grants. */
  readonly isOwned: boolean;
  readonly foreignKeys: readonly UncheckedForeignKey[];
  /** Whether to remove the statement that begins with this line. */
  isUnwanted(line: string): boolean;
  /**
   * Whether to continue after statements that fail. A failed `COPY` always stops psql, because psql would
   * read the following rows as SQL.
   */
  readonly continuesOnErrors: boolean;
}

const NEWLINE = 10;
const END_OF_ROWS = bytesOf("\n\\.\n");
/**
 * Matches the comment at the start of each entry of the dump. The lines before the first entry are the dump's
 * settings. With `--clean`, statements that drop existing objects also come before the first entry.
 */
const ENTRY = /^-- (?:TOC entry |Name: |Data for Name: )/;
const PREAMBLE = /^(?:SET |SELECT pg_catalog\.set_config)/;
const OWNERSHIP =
  /^(?:ALTER .* OWNER TO .*;$|GRANT |REVOKE |ALTER DEFAULT PRIVILEGES |SET SESSION AUTHORIZATION )/;
const COPY = /^COPY .* FROM stdin;$/;

export async function* editPlain(
  chunks: AsyncIterable<Uint8Array>,
  edits: PlainEdits,
): AsyncIterable<Uint8Array> {
  const editor = new PlainEditor(edits);
  for await (const chunk of chunks) {
    const parts = [...editor.push(chunk)];
    if (parts.length > 0) yield concatenated(parts);
  }
  yield* editor.end();
}

class PlainEditor {
  #rest: Uint8Array = new Uint8Array(0);
  /** Number of bytes at the start of `#rest` that are known to contain no line end. */
  #scanned = 0;
  #mode: "sql" | "rows" | "unwanted rows" = "sql";
  #isPreamble = true;
  #isDropping = false;
  #isOpen = false;
  /**
   * First line of an `ALTER TABLE` that is held back; null if none is. The next line shows whether the
   * statement adds a foreign key of `edits.foreignKeys`.
   */
  #pendingLine: string | null = null;
  #restricted: string | null = null;
  readonly #quoting = new Quoting();
  readonly #tables: ReadonlySet<string>;

  constructor(private readonly edits: PlainEdits) {
    this.#tables = new Set(edits.foreignKeys.map(({ table }) => table));
  }

  *push(chunk: Uint8Array): Iterable<Uint8Array> {
    this.#rest = joined(this.#rest, chunk);
    while (this.#mode === "sql" ? yield* this.#takeLine() : yield* this.#takeRows());
  }

  *end(): Iterable<Uint8Array> {
    if (this.#mode === "unwanted rows") return;
    if (this.#pendingLine !== null) yield bytesOf(`${this.#pendingLine}\n`);
    if (this.#rest.length > 0) yield this.#rest;
  }

  /**
   * Reads a line of SQL and yields the SQL that replaces the line. Returns false if more input is needed for
   * a whole line.
   */
  *#takeLine(): Generator<Uint8Array, boolean> {
    const end = this.#rest.indexOf(NEWLINE, this.#scanned);
    if (end === -1) {
      this.#scanned = this.#rest.length;
      return false;
    }
    const line = latin1(this.#rest.subarray(0, end));
    this.#rest = this.#rest.subarray(end + 1);
    this.#scanned = 0;
    const text = this.#line(line);
    if (text !== null && text !== "") yield bytesOf(text);
    return true;
  }

  *#takeRows(): Generator<Uint8Array, boolean> {
    const at = indexOf(this.#rest, END_OF_ROWS);
    const end = at === -1 ? Math.max(0, this.#rest.length - END_OF_ROWS.length + 1) : at + END_OF_ROWS.length;
    if (this.#mode === "rows" && end > 0) yield this.#rest.slice(0, end);
    this.#rest = this.#rest.subarray(end);
    if (at === -1) return false;
    if (this.#mode === "rows" && this.edits.continuesOnErrors) yield bytesOf(this.#stopOnError(false));
    this.#mode = "sql";
    return true;
  }

  /** Returns the SQL that replaces a line; null to remove the line. */
  #line(line: string): string | null {
    const isStart = !this.#isOpen && !this.#quoting.isOpen;
    if (isStart && this.#pendingLine === null) return this.#statement(line);
    const pending = this.#pendingLine;
    this.#pendingLine = null;
    if (pending !== null && this.#isForeignKey(pending, line)) this.#isDropping = true;
    return this.#passOn(pending === null ? [line] : [pending, line], line);
  }

  #statement(line: string): string | null {
    if (line === "" || line.startsWith("--")) {
      if (ENTRY.test(line)) this.#isPreamble = false;
      return `${line}\n`;
    }
    if (line.startsWith("\\")) {
      this.#restricted = /^\\restrict (\w+)$/.exec(line)?.[1] ?? null;
      return `${line}\n${
        this.#restricted !== null && this.edits.continuesOnErrors ? this.#stopOnError(false) : ""
      }`;
    }
    if (COPY.test(line)) return this.#copy(line);
    this.#isDropping = this.#isUnwanted(line);
    const table = /^ALTER TABLE (?:ONLY )?(.*[^;])$/.exec(line)?.[1];
    if (!this.#isDropping && table !== undefined && this.#tables.has(table)) {
      this.#pendingLine = line;
      this.#isOpen = true;
      return null;
    }
    return this.#passOn([line], line);
  }

  #copy(line: string): string | null {
    const isUnwanted = this.edits.isUnwanted(line);
    this.#mode = isUnwanted ? "unwanted rows" : "rows";
    // The search for the end of the rows looks for a line end, `\.` and a line end. If there are no rows, the
    // first of these is the line end of `line`. It was already removed, so put it back in front of the rest.
    this.#rest = joined(bytesOf("\n"), this.#rest);
    if (isUnwanted) return null;
    return (this.edits.continuesOnErrors ? this.#stopOnError(true) : "") + line;
  }

  #isUnwanted(line: string): boolean {
    if (this.#isPreamble && !PREAMBLE.test(line)) return true;
    const setting = this.#isPreamble ? /^SET (\w+) = /.exec(line)?.[1] : undefined;
    if (setting !== undefined && this.edits.settings !== null && !this.edits.settings.has(setting)) {
      return true;
    }
    return (!this.edits.isOwned && OWNERSHIP.test(line)) || this.edits.isUnwanted(line);
  }

  #isForeignKey(first: string, second: string): boolean {
    return this.edits.foreignKeys.some(({ table, name }) =>
      first.endsWith(` ${table}`) &&
      [name, `"${name.replaceAll('"', '""')}"`].some((each) =>
        second.startsWith(`    ADD CONSTRAINT ${each} `)
      )
    );
  }

  /**
   * Returns `lines` as one text. Returns null if `lines` belong to a statement that is removed. Updates the
   * parser's state with `last`.
   *
   * @param lines The lines that are not passed on yet.
   * @param last The last of `lines`.
   */
  #passOn(lines: readonly string[], last: string): string | null {
    this.#quoting.read(`${last}\n`);
    const isDropped = this.#isDropping;
    this.#isOpen = this.#quoting.isOpen || !/;\s*$/.test(last);
    if (!this.#isOpen) this.#isDropping = false;
    return isDropped ? null : lines.map((line) => `${line}\n`).join("");
  }

  /**
   * Returns a psql command that sets whether psql stops at errors. `\restrict` forbids such commands, so the
   * restriction is lifted for this command.
   */
  #stopOnError(stops: boolean): string {
    const command = `\\set ON_ERROR_STOP ${stops ? 1 : 0}\n`;
    return this.#restricted === null
      ? command
      : `\\unrestrict ${this.#restricted}\n${command}\\restrict ${this.#restricted}\n`;
  }
}

/** Parser that knows whether the text so far ends inside a quoted string, identifier or function body. */
class Quoting {
  #end: string | null = null;
  #escapes = false;

  get isOpen(): boolean {
    return this.#end !== null;
  }

  read(line: string): void {
    let at = 0;
    while (at < line.length) {
      at = this.#end === null ? this.#open(line, at) : this.#close(line, at, this.#end);
    }
  }

  #open(line: string, from: number): number {
    const found = /'|"|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|--/g;
    found.lastIndex = from;
    const match = found.exec(line);
    if (match === null || match[0] === "--") return line.length;
    this.#end = match[0];
    this.#escapes = match[0] === "'" && /(?:^|[^\w$])[eE]$/.test(line.slice(0, match.index));
    return match.index + match[0].length;
  }

  #close(line: string, from: number, end: string): number {
    const at = line.indexOf(end, from);
    const escape = this.#escapes ? line.indexOf("\\", from) : -1;
    if (escape !== -1 && (at === -1 || escape < at)) return escape + 2;
    if (at === -1) return line.length;
    // A doubled quote is handled like the end of a string and the start of the next string.
    this.#end = null;
    this.#escapes = this.#escapes && line[at + 1] === "'";
    if (this.#escapes) {
      this.#end = "'";
      return at + 2;
    }
    return at + end.length;
  }
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function indexOf(bytes: Uint8Array, what: Uint8Array): number {
  for (let at = bytes.indexOf(what[0]!); at !== -1; at = bytes.indexOf(what[0]!, at + 1)) {
    if (what.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
