/**
 * Handles materialized views that cannot be filled while a dump is loaded. For example, a view might read
 * rows that the backup leaves out, or call a function that needs a search path. If a view cannot be filled,
 * the load does not fail: it writes a warning, and users can fill the view later.
 */
import { byteString, textOf } from "../../archive/bytes.ts";
import { RunFailedError } from "../../ports.ts";
import type { LoadError } from "../database/load_messages.ts";
import type { PostgresqlFresh } from "./fresh.ts";

const STATEMENT = /^REFRESH MATERIALIZED VIEW (.*);$/;

/** Returns a warning if the error is that a materialized view could not be filled; null for other errors. */
export function refreshWarning({ message, statement }: LoadError): string | null {
  const view = STATEMENT.exec(statement ?? "")?.[1];
  if (view === undefined) return null;
  const reason = message.replace(/^could not execute query: ERROR: +/, "");
  return `Materialized view ${view} is not filled: ${reason}. To fill it: REFRESH MATERIALIZED VIEW ${view}`;
}

/**
 * Removes statements from a plain dump: those that fill materialized views. Executes them after the load.
 */
export class Refreshes {
  readonly #statements: string[] = [];

  /**
   * Takes a line of a dump, as a byte string. If the line fills a materialized view, keeps it for {@link
   * Refreshes.execute} and returns true.
   */
  take(line: string): boolean {
    const statement = textOf(line);
    // If a name in the statement is not UTF-8, the statement stays in the dump, and psql executes it during
    // the load.
    if (!STATEMENT.test(statement) || byteString(statement) !== line) return false;
    this.#statements.push(statement);
    return true;
  }

  async execute(server: PostgresqlFresh, database: string): Promise<void> {
    for (const statement of this.#statements) {
      try {
        await server.connection.execute(server.psql, database, statement);
      } catch (error) {
        if (!(error instanceof RunFailedError)) throw error;
        const message = error.message.replace(/^Cannot use PostgreSQL at .*?: (?:ERROR: +)?/, "")
          .replace(/ (?:DETAIL|HINT|CONTEXT): .*$/, "");
        server.output.warning(refreshWarning({ message, statement })!);
      }
    }
  }
}
