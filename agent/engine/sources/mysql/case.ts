/**
 * Compares names of databases and tables on servers that ignore upper and lower case
 * (`lower_case_table_names` is 1 or 2).
 */
import type { MysqlConnection } from "./connection.ts";

export async function ignoresCase(connection: MysqlConnection, client: string): Promise<boolean> {
  const [row] = await connection.query(client, "select @@lower_case_table_names");
  return row![0] !== "0";
}

/** Returns the name in lower case. Servers that ignore the case of names store names so. */
export function folded(name: string): string {
  return name.toLowerCase();
}

/**
 * Returns `names` in the spelling of `known`. A name that differs from a known name only in case is replaced
 * by the known name. All other names stay unchanged.
 */
export function matchCase(names: readonly string[], known: readonly string[]): string[] {
  const byFolded = new Map(known.map((name) => [folded(name), name]));
  return names.map((name) => byFolded.get(folded(name)) ?? name);
}

/**
 * Returns each group of two or more names that differ only in case. A server that ignores case cannot keep
 * them apart.
 */
export function clashes(names: readonly string[]): string[][] {
  return [...Map.groupBy(names, folded).values()].filter(({ length }) => length > 1);
}
