/** Names of databases and tables on servers that ignore their case: `lower_case_table_names` is 1 or 2. */
import type { MysqlConnection } from "./connection.ts";

export async function ignoresCase(connection: MysqlConnection, client: string): Promise<boolean> {
  const [row] = await connection.query(client, "select @@lower_case_table_names");
  return row![0] !== "0";
}

/** Returns the name as such a server stores it. */
export function folded(name: string): string {
  return name.toLowerCase();
}

/** Returns for each name the known name that differs only in case, or else the name itself. */
export function matchCase(names: readonly string[], known: readonly string[]): string[] {
  const byFolded = new Map(known.map((name) => [folded(name), name]));
  return names.map((name) => byFolded.get(folded(name)) ?? name);
}

/** Returns groups of names that are the same name to such a server. */
export function clashes(names: readonly string[]): string[][] {
  return [...Map.groupBy(names, folded).values()].filter(({ length }) => length > 1);
}
