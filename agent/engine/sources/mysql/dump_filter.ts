/**
 * Rewrites a mysqldump or mariadb-dump so that it loads into a database of another name. Works statement by
 * statement, and leaves rows unchanged. Processes text as byte strings, because definitions can be in any
 * character set.
 */
import { bytesOf, byteString, latin1, textOf } from "../../archive/bytes.ts";
import { isOwnName } from "../database/scratch_names.ts";
import { quote } from "./quote.ts";
import { PostponedViews } from "./views.ts";
import { renameCalls, renameInView, renameTriggerHead, type Renaming } from "./tokens.ts";

export interface RewriteRules {
  /** Name of the database in the dump. */
  original: string;
  /** Name of the database that the dump is loaded into. */
  into: string;
  /**
   * Whether all objects get the restore's login as their definer. If false, they keep their original definer.
   */
  isDefiner: boolean;
  /** Whether the server rejects SQL modes that MySQL removed in version 8. */
  lacksOldModes: boolean;
  /**
   * Names of all databases in the restore except the one in this dump. The dump's views that read one of
   * them are created last.
   */
  others?: readonly string[];
}

/** Number of bytes at the start of a line that are enough to tell rows from other lines. */
const HEAD_BYTES = 8;
const NEWLINE = 10;
const ROWS = ["INSERT ", "REPLACE ", "("].map((text) => new TextEncoder().encode(text));
const SANDBOX = /^\/\*M?!999999\\- enable the sandbox mode \*\/ ?\n$/;
const LOCKS = /^(?:LOCK TABLES .* WRITE|UNLOCK TABLES);\n$/;
const DELIMITER = /^DELIMITER (\S+)\n$/;
const NAME = "(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*')";
const DEFINER = new RegExp(
  `^((?:/\\*!50003 CREATE\\*/ /\\*!50017 |/\\*!50106 CREATE\\*/ /\\*!50117 |/\\*!50013 |CREATE ))DEFINER=${NAME}(?:@${NAME})?`,
);
const EVENT = `(/\\*!50106 CREATE\\*/ (?:/\\*!50117 DEFINER=.*?\\*/ )?/\\*!50106 EVENT (${NAME}) ` +
  'ON SCHEDULE [^`"]*? ON COMPLETION (?:NOT )?PRESERVE)';
const ENABLED_EVENT = new RegExp(`^${EVENT} ENABLE\\b`);
const DISABLED_EVENT = new RegExp(`^${EVENT} DISABLE\\b(?! ON )`, "gm");
/**
 * Matches an ALTER DATABASE statement, which names the original database. A routine, trigger or event can
 * have another collation than the database. The dump then has such a statement before its definition, and
 * another one after it. A line within a definition never matches, because it does not end with the current
 * delimiter.
 */
const ALTERATION = /^ALTER DATABASE `(?:[^`]|``)*` (CHARACTER SET \w+ COLLATE \w+ ;+\n)$/;
const OLD_MODE = /^(\/\*!50003 SET sql_mode .*?)NO_AUTO_CREATE_USER,?/;

export class DumpRewriter {
  /**
   * Names of the events that are enabled in the dump. The restore creates these events disabled, because they
   * must not run before the restore is complete.
   */
  readonly enabledEvents: string[] = [];
  readonly #views: PostponedViews;
  readonly #renaming: Renaming;
  readonly #into: string;
  /** The current line so far. Each chunk that contains a piece of the line adds one part. */
  #line: Uint8Array[] = [];
  #isRows = false;
  /**
   * Lines of the current statement. Used only after a DELIMITER command has set another delimiter than `;`.
   */
  #block: string[] = [];
  #delimiter: string | null = null;

  constructor(private readonly rules: RewriteRules) {
    const isPlain = /^[A-Za-z_]\w*$/.test(rules.into) && isOwnName(rules.into);
    this.#renaming = { from: byteString(rules.original), to: byteString(rules.into), isPlain };
    this.#into = byteString(quote(rules.into));
    this.#views = new PostponedViews((rules.others ?? []).map((other) => byteString(`${quote(other)}.`)));
  }

  /** SQL that creates the postponed views. The SQL uses the final names of databases. */
  get postponedViews(): string[] {
    return this.#views.statements.map(textOf);
  }

  readonly rewrite = async function* (
    this: DumpRewriter,
    chunks: AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array> {
    for await (const chunk of chunks) yield* this.#take(chunk);
    yield* this.#end();
  }.bind(this);

  *#take(chunk: Uint8Array): Iterable<Uint8Array> {
    // Position in the chunk. From here to `at`, the chunk contains only rows that are not yielded yet.
    let rows = 0;
    for (let at = 0; at < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline === -1 ? chunk.length : newline + 1;
      if (this.#isRows || (this.#line.length === 0 && this.#delimiter === null && isRows(chunk, at, end))) {
        this.#isRows = newline === -1;
        at = end;
        continue;
      }
      if (rows < at) yield chunk.subarray(rows, at);
      this.#line.push(chunk.slice(at, end));
      at = rows = end;
      if (newline !== -1) yield* this.#takeLine();
      else yield* this.#releaseRows();
    }
    if (rows < chunk.length) yield chunk.subarray(rows);
  }

  /**
   * Yields the incomplete line at the end of a chunk, if the start of the line shows that the line contains
   * rows.
   */
  *#releaseRows(): Iterable<Uint8Array> {
    if (this.#delimiter !== null) return;
    const head = joined(this.#line);
    if (head.length > 64 * 1024 || !isRows(head, 0, head.length)) return;
    this.#line = [];
    this.#isRows = true;
    yield head;
  }

  *#takeLine(): Iterable<Uint8Array> {
    const line = joined(this.#line);
    this.#line = [];
    if (this.#delimiter === null && isRows(line, 0, line.length)) return yield line;
    const text = latin1(line);
    const [, delimiter] = DELIMITER.exec(text) ?? [];
    if (delimiter === ";") {
      yield* this.#endBlock();
      this.#delimiter = null;
    } else if (delimiter !== undefined) this.#delimiter = delimiter;
    if (this.#delimiter === null || delimiter !== undefined) {
      return yield bytesOf(this.#views.take(this.#rewriteLine(text), text));
    }
    this.#block.push(text);
    if (text.endsWith(`${this.#delimiter}\n`)) yield* this.#endBlock();
  }

  *#endBlock(): Iterable<Uint8Array> {
    if (this.#block.length === 0) return;
    yield bytesOf(this.#rewriteStatement(this.#block.join("")));
    this.#block = [];
  }

  *#end(): Iterable<Uint8Array> {
    if (this.#line.length > 0) yield* this.#takeLine();
    yield* this.#endBlock();
  }

  /**
   * Rewrites a line of the dump in which `;` ends a statement. The line is a whole statement, or one line of
   * a statement.
   */
  #rewriteLine(line: string): string {
    // Remove the line that turns on the client's sandbox mode, because older clients do not know this mode.
    // The option --binary-mode gives the same protection.
    if (SANDBOX.test(line)) return "";
    // Loading inside LOCK TABLES fails if a column's default reads from a sequence, because the sequence is
    // not locked.
    if (LOCKS.test(line)) return "";
    if (line.startsWith("  `")) return renameCalls(line, this.#renaming);
    if (line.startsWith("/*!50001 VIEW ")) return renameInView(line, this.#renaming);
    return this.#rewriteCommon(line);
  }

  #rewriteStatement(statement: string): string {
    const [, head, event] = ENABLED_EVENT.exec(statement) ?? [];
    if (head !== undefined) {
      this.enabledEvents.push(textOf(unquoted(event!)));
      statement = `${head} DISABLE${statement.slice(head.length + " ENABLE".length)}`;
    }
    const isTrigger = statement.startsWith("/*!50003 CREATE*/");
    return this.#rewriteCommon(isTrigger ? renameTriggerHead(statement, this.#renaming) : statement);
  }

  #rewriteCommon(text: string): string {
    const altered = ALTERATION.exec(text);
    if (altered !== null) return `ALTER DATABASE ${this.#into} ${altered[1]}`;
    if (this.rules.lacksOldModes) text = text.replace(OLD_MODE, "$1");
    return this.rules.isDefiner ? text.replace(DEFINER, "$1DEFINER=CURRENT_USER") : text;
  }
}

/** Whether a line contains rows: it begins with INSERT, REPLACE or an opening parenthesis. */
function isRows(bytes: Uint8Array, from: number, to: number): boolean {
  return ROWS.some((start) =>
    to - from >= Math.min(start.length, HEAD_BYTES) &&
    start.every((byte, index) => bytes[from + index] === byte)
  );
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Changes a dump's definitions so that they create the given events enabled. If an event were enabled only
 * after its creation, its definer would change.
 */
export function withEnabled(definitions: string, events: readonly string[]): string {
  return definitions.replace(
    DISABLED_EVENT,
    (statement, head, name) => events.includes(unquoted(name)) ? `${head} ENABLE` : statement,
  );
}

function unquoted(name: string): string {
  return name.slice(1, -1).replaceAll(name[0]! + name[0]!, name[0]!);
}
