/**
 * Postpones views that read another database of the same restore, because that database might not exist yet.
 *
 * These views are removed from the dump, and created after all databases are restored. Until then, each view
 * is replaced by the dump's own placeholder, which is a view with the same columns.
 *
 * All texts are byte strings, with one character for each byte.
 */

const STAND_IN = /^\/\*!50001 CREATE VIEW (`(?:[^`]|``)*`) AS SELECT/;
const SETTING = /^\/\*!50001 SET (character_set_client|character_set_results|collation_connection) += (?!@)/;
const CREATE = "/*!50001 CREATE ALGORITHM";
const VIEW = /^\/\*!50001 VIEW (`(?:[^`]|``)*`) AS /;

export class PostponedViews {
  /** SQL that creates the postponed views in the current database, one text for each view. */
  readonly statements: string[] = [];
  readonly #standIns = new Map<string, string>();
  #standIn: { name: string; text: string } | null = null;
  readonly #settings = new Map<string, string>();
  /** Lines of a view's definition that precede the line with the view's name. */
  #head: string[] = [];

  /**
   * @param others Quoted names of the databases in the restore, except the one whose dump is loaded. A dot
   *   follows each name.
   */
  constructor(private readonly others: readonly string[]) {}

  /**
   * Takes a line of the dump, and returns the SQL to load in place of the line. Must not be called for lines
   * with rows, or for lines inside a definition that has its own delimiter.
   *
   * @param line The line after rewriting.
   * @param original The line as it is in the dump, with the final names of databases.
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
