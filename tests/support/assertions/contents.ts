/**
 * Returns the contents of a database as text, so that tests can find out whether a request changed anything.
 */
import type { Database } from "../../../src/store/database/sql.ts";

/** Columns that every request changes, by table. */
const OF_ANY_CALL: Readonly<Record<string, readonly string[]>> = {
  tokens: ["last_used_at"],
  sessions: ["last_used_at"],
  replicas: ["heartbeat_at"],
};
/**
 * Returns every table's rows as text. Leaves out the columns that every request changes.
 *
 * @param besides Additional columns to leave out, by table.
 */
export async function contentsOf(
  database: Database,
  besides: Readonly<Record<string, readonly string[]>> = {},
): Promise<Record<string, string[]>> {
  return await rowsOf(database, {
    leftOut: (table) => [...OF_ANY_CALL[table] ?? [], ...besides[table] ?? []],
    // Leaves out the audit log entries of refused requests and of agents that connect. Both change nothing
    // except the audit log.
    callsOnly: true,
  });
}

/** Returns every row of every table as text. */
export function everyRow(database: Database): Promise<Record<string, string[]>> {
  return rowsOf(database, { leftOut: () => [], callsOnly: false });
}

/**
 * Returns the rows of every table as text. `leftOut` returns the columns to leave out of a given table. If
 * `callsOnly` is true, leaves out the audit log entries of refused requests and of agents that connect.
 */
async function rowsOf(
  database: Database,
  { leftOut, callsOnly }: { leftOut: (table: string) => string[]; callsOnly: boolean },
): Promise<Record<string, string[]>> {
  const tables = await database<{ name: string }[]>`
    select table_name as name from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1`;
  const contents: Record<string, string[]> = {};
  for (const { name } of tables) {
    const left = leftOut(name);
    const where = name === "audit_log" && callsOnly
      ? database`where result <> 'refused' and action <> 'connectAgent'`
      : database``;
    const rows = await database<{ row: string }[]>`
      select (to_jsonb(t) - ${left}::text[])::text as row from ${database(name)} t ${where} order by 1`;
    contents[name] = rows.map(({ row }) => row);
  }
  return contents;
}
