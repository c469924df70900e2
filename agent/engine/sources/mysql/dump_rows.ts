/** Counts the rows in the text of mysqldump or mariadb-dump. */
import type { TableRows } from "../database/row_counts.ts";

/**
 * Maximum number of bytes to read at the start of a line, in order to recognize the line's statement. These
 * bytes are enough for a table's quoted name: up to 64 characters of up to four bytes.
 */
const HEAD_BYTES = 1024;
/**
 * Storage engines whose rows are counted. Tables of other engines store no rows themselves. Their rows are
 * stored elsewhere, or belong to other tables.
 */
const COUNTED_ENGINES = /^(?:InnoDB|MyISAM|Aria|MEMORY|CSV|ARCHIVE|BLACKHOLE|ROCKSDB|TokuDB|NDB\w*)$/i;
const CREATE = /^CREATE TABLE (?:IF NOT EXISTS )?`((?:[^`]|``)+)`/;
const INSERT = /^(?:INSERT(?: +IGNORE)?|REPLACE) +INTO +`((?:[^`]|``)+)`/;
const ENGINE = /^\) ENGINE=(\w+)/;
const DELIMITER = /^DELIMITER (\S+)/;

const NEWLINE = 0x0a;
const QUOTE = 0x27;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const V = 0x56;
const BACKSLASH = 0x5c;
const BACKTICK = 0x60;

/**
 * The part of the dump that the next byte belongs to. `columns` is the list between an INSERT's table and
 * VALUES; `between` is the text between two rows.
 */
type State = "head" | "rest" | "columns" | "name" | "between" | "values" | "string" | "escape";

/**
 * Counts the rows of a dump that arrives in chunks of any size. Ignores the bodies of routines: DELIMITER
 * commands enclose them.
 */
export class DumpRows {
  readonly #tables = new Map<string, TableRows>();
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headLength = 0;
  #state: State = "head";
  #isBody = false;
  #created: TableRows | null = null;
  #rows = 0;
  #into: TableRows | null = null;
  /** Length of the current INSERT so far, in bytes. */
  #statement = 0;
  #longest = 0;

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#state === "head") at = this.#readHead(chunk, at);
      else if (this.#state === "rest") at = this.#skipLine(chunk, at);
      else at = this.#readInsert(chunk, at);
    }
  }

  /** Length of the longest INSERT, in bytes. */
  get longestStatement(): number {
    return this.#longest;
  }

  tables(): TableRows[] {
    return [...this.#tables.values()];
  }

  #readHead(chunk: Uint8Array, from: number): number {
    const limit = Math.min(chunk.length, from + HEAD_BYTES - this.#headLength);
    const newline = chunk.subarray(from, limit).indexOf(NEWLINE);
    const to = newline === -1 ? limit : from + newline;
    this.#head.set(chunk.subarray(from, to), this.#headLength);
    this.#headLength += to - from;
    if (newline === -1 && this.#headLength < HEAD_BYTES) return to;
    const head = this.#head.slice(0, this.#headLength);
    this.#headLength = 0;
    this.#state = "rest";
    this.#classify(head);
    return to;
  }

  #classify(head: Uint8Array): void {
    const text = new TextDecoder().decode(head);
    const delimiter = DELIMITER.exec(text);
    if (delimiter !== null) this.#isBody = delimiter[1] !== ";";
    if (this.#isBody) return;
    const [, created] = CREATE.exec(text) ?? [];
    if (created !== undefined) {
      const name = created.replaceAll("``", "`");
      this.#created = { name, rows: 0 };
      this.#tables.set(name, this.#created);
      return;
    }
    const [, engine] = ENGINE.exec(text) ?? [];
    if (engine !== undefined && this.#created !== null && !COUNTED_ENGINES.test(engine)) {
      this.#created.rows = null;
    }
    const insert = INSERT.exec(text);
    if (insert === null) return;
    this.#into = this.#tables.get(insert[1]!.replaceAll("``", "`")) ?? null;
    this.#rows = 0;
    this.#state = "columns";
    const name = new TextEncoder().encode(insert[0]).length;
    this.#statement = name;
    // The bytes after the matched text belong to the same INSERT, so process them in the new state.
    this.push(head.subarray(name));
  }

  #skipLine(chunk: Uint8Array, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    if (newline === -1) return chunk.length;
    this.#state = "head";
    return newline + 1;
  }

  /** Reads an INSERT up to its end or the chunk's end. Returns the position after the last byte read. */
  #readInsert(chunk: Uint8Array, from: number): number {
    let state = this.#state;
    let rows = 0;
    let at = from;
    while (at < chunk.length && state !== "rest") {
      const byte = chunk[at++]!;
      if (state === "string") {
        if (byte === QUOTE) state = "values";
        else if (byte === BACKSLASH) state = "escape";
      } else if (state === "values") {
        if (byte === QUOTE) state = "string";
        else if (byte === CLOSE) state = "between";
      } else if (state === "between") {
        if (byte === OPEN) {
          rows++;
          state = "values";
        } else if (byte === SEMICOLON) state = "rest";
      } else if (state === "escape") state = "string";
      else if (state === "name") state = byte === BACKTICK ? "columns" : "name";
      else if (byte === BACKTICK) state = "name";
      else if (byte === V) state = "between";
    }
    this.#state = state;
    this.#rows += rows;
    this.#statement += at - from;
    this.#longest = Math.max(this.#longest, this.#statement);
    if (state === "rest" && this.#into !== null && this.#into.rows !== null) this.#into.rows += this.#rows;
    return at;
  }
}
