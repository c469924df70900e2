/** Tables whose rows a task leaves out. Their definitions stay: views and foreign keys may need them. */
import type { Output } from "../../ports.ts";
import { text } from "./sql.ts";
import { fromHex, type MysqlConnection } from "./connection.ts";

/**
 * Returns the tables that the entries name, by database. An entry is `table`, for every database of the task,
 * or `database.table`. Both are taken literally. Warns of entries that name no table. Views have no rows, so
 * they don't count.
 */
export async function findEmptied(
  connection: MysqlConnection,
  client: string,
  databases: readonly string[],
  entries: readonly string[],
  output: Output,
): Promise<ReadonlyMap<string, string[]>> {
  const found = new Map<string, string[]>(databases.map((name) => [name, []]));
  if (entries.length === 0) return found;
  const candidates = databases.flatMap((database) =>
    entries.map((entry) => ({ entry, database, table: tableOf(entry, database) }))
  );
  const names = [...new Set(candidates.map(({ table }) => table))];
  const rows = await connection.query(
    client,
    `select hex(table_schema), hex(table_name) from information_schema.tables
     where table_type in ('BASE TABLE', 'SYSTEM VERSIONED') and table_name in (${
      names.map(text).join(", ")
    })`,
  );
  const there = new Set(rows.map(([schema, name]) => JSON.stringify([fromHex(schema!), fromHex(name!)])));
  const meant = candidates.filter(({ database, table }) => there.has(JSON.stringify([database, table])));
  for (const { database, table } of meant) {
    const tables = found.get(database)!;
    if (!tables.includes(table)) tables.push(table);
  }
  for (const entry of entries.filter((entry) => !meant.some((each) => each.entry === entry))) {
    output.warning(`No table is called ${entry}, which excluded_tables names`);
  }
  return found;
}

function tableOf(entry: string, database: string): string {
  return entry.startsWith(`${database}.`) ? entry.slice(database.length + 1) : entry;
}
