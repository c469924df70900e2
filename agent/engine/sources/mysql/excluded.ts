/**
 * Finds the tables whose rows a task excludes. The definitions of these tables are still dumped, because
 * views and foreign keys might need them.
 */
import type { Output } from "../../ports.ts";
import { folded } from "./case.ts";
import type { MysqlServer } from "./server.ts";
import { text } from "./sql.ts";
import { fromHex, type MysqlConnection } from "./connection.ts";

interface Search {
  connection: MysqlConnection;
  client: string;
  server: Pick<MysqlServer, "ignoresCase">;
  output: Output;
}

/**
 * Returns, for each database, the tables whose rows the task excludes. An entry of the task's exclusions is
 * `database.table` for one database, or `table` for every database of the task. Names are taken literally,
 * without patterns. An entry that matches no table causes a warning. Views have no rows and never match.
 */
export async function findEmptied(
  { connection, client, server, output }: Search,
  databases: readonly string[],
  entries: readonly string[],
): Promise<ReadonlyMap<string, string[]>> {
  const found = new Map<string, string[]>(databases.map((name) => [name, []]));
  if (entries.length === 0) return found;
  const candidates = databases.flatMap((database) =>
    entries.map((entry) => ({ entry, database, table: tableOf(entry, database, server.ignoresCase) }))
  );
  const names = [...new Set(candidates.map(({ table }) => table))];
  const rows = await connection.query(
    client,
    `select hex(table_schema), hex(table_name) from information_schema.tables
     where table_type in ('BASE TABLE', 'SYSTEM VERSIONED') and table_name in (${
      names.map(text).join(", ")
    })`,
  );
  const key = (...name: string[]) => JSON.stringify(server.ignoresCase ? name.map(folded) : name);
  const there = new Map(
    rows.map(([schema, name]) => [key(fromHex(schema!), fromHex(name!)), fromHex(name!)]),
  );
  const meant = candidates.filter(({ database, table }) => there.has(key(database, table)));
  for (const { database, table } of meant) {
    const tables = found.get(database)!;
    const name = there.get(key(database, table))!;
    if (!tables.includes(name)) tables.push(name);
  }
  for (const entry of entries.filter((entry) => !meant.some((each) => each.entry === entry))) {
    output.warning(`There is no table ${entry}, which excluded_tables names`);
  }
  return found;
}

function tableOf(entry: string, database: string, ignoresCase: boolean): string {
  const start = entry.slice(0, database.length + 1);
  const isIn = ignoresCase ? folded(start) === folded(`${database}.`) : start === `${database}.`;
  return isIn ? entry.slice(database.length + 1) : entry;
}
