/**
 * Finds databases and tables of a backup whose names differ only in case. A server that ignores case cannot
 * store both.
 */
import { RunFailedError } from "../../ports.ts";
import { clashes } from "./case.ts";
import type { DatabaseToRestore } from "../database/database_host.ts";
import type { MysqlFresh } from "./fresh.ts";

/**
 * Throws if the server ignores case and the names of two databases, or of two tables, differ only in case.
 * Such a server takes both for one database or table. Loading the second would replace the first, because a
 * dump drops each table before it creates the table.
 */
export function refuseNameClashes(
  { ignoresCase }: Pick<MysqlFresh, "ignoresCase">,
  wanted: readonly DatabaseToRestore[],
): void {
  if (!ignoresCase) return;
  const [databases] = clashes(wanted.map(({ name }) => name));
  if (databases !== undefined) {
    throw new RunFailedError(
      `this server ignores the case of names and takes ${
        databases.join(" and ")
      } for one database. Restore one of ` +
        "them, or another under a new database_name.",
    );
  }
  for (const { original, contents } of wanted) {
    const [tables] = clashes((contents?.tables ?? []).map(({ name }) => name));
    if (tables === undefined) continue;
    throw new RunFailedError(
      `this server ignores the case of names and takes ${
        tables.join(" and ")
      } of ${original} for one table. ` +
        "Restore on a server whose lower_case_table_names is 0.",
    );
  }
}
