/**
 * Views that need another database of the same restore, which does not exist yet. They are taken out of the
 * dump, and created once every database is in place. Until then, the dump's own placeholder, a view with the
 * same columns, replaces them. Each character of the text holds one byte.
 */

const STAND_IN = /^\/\*!50001 CREATE VIEW (`(?:[^`]|``)*`) AS SELECT/;
const SETTING = /^\/\*!50001 SET (character_set_client|character_set_results|collation_connection) += (?!@)/;
const CREATE = "/*!50001 CREATE ALGORITHM";
const VIEW = /^\/\*!50001 VIEW (`(?:[^`]|``)*`) AS /;

export class PostponedViews {
  /** SQL that makes a view in the database that is in use. */
  readonly statements: string[] = [];
  readonly #standIns = new Map<string, string>();
  #standIn: { name: string; text: string } | null = null;
  readonly #settings = new Map<string, string>();
  /** The lines of a view's definition before the one that names it. */
  #head: string[] = [];

  /** @param others Names of databases, quoted, with the point behind them. */
  constructor(private readonly others: readonly string[]) {}

  /**
   * Takes a line that is no part of rows or of a block. Returns what is to be loaded in its place.
   *
   * @param original The line as it is in the dump, where names lead into the place.
   */
  take(line: string, original: string): string {
    if (this.others.length === 0) return line;
    this.#noteStandIn(line);
    const [, setting] = SETTING.exec(line) ?? [];
    if (setting !== undefined) this.#settings.set(setting, line);
    if (line.startsWith(CREATE)) {
      this.#head = [line];
      return "";
    }
    if (this.#head.length === 0) return line;
    this.#head.push(line);
    const [, name] = VIEW.exec(line) ?? [];
    if (name === undefined) return "";
    const definition = this.#head.join("");
    this.#head = [];
    const standIn = this.#standIns.get(name);
    if (standIn === undefined || !this.others.some((other) => line.includes(other))) return definition;
    const settings = [...this.#settings.values()].join("");
    const inPlace = definition.slice(0, -line.length) + original;
    this.statements.push(`${settings}drop view if exists ${name};\n${inPlace}`);
    return standIn;
  }

  #noteStandIn(line: string): void {
    const [, name] = STAND_IN.exec(line) ?? [];
    if (name !== undefined) this.#standIn = { name, text: "" };
    if (this.#standIn === null) return;
    this.#standIn.text += line;
    if (!line.endsWith("*/;\n")) return;
    this.#standIns.set(this.#standIn.name, this.#standIn.text);
    this.#standIn = null;
  }
}
