/** All that a database holds, as text to be compared: whether a call changed anything. */
import type { Database } from "../../../src/store/database/sql.ts";

/** What every call leaves behind, of whoever made it. */
const OF_ANY_CALL: Readonly<Record<string, readonly string[]>> = {
  tokens: ["last_used_at"],
  replicas: ["heartbeat_at"],
};
/**
 * Rows by table, without what a call leaves behind that changes nothing.
 *
 * @param besides More columns that are left out, by table.
 */
export async function contentsOf(
  database: Database,
  besides: Readonly<Record<string, readonly string[]>> = {},
): Promise<Record<string, string[]>> {
  return await rowsOf(database, {
    leftOut: (table) => [...OF_ANY_CALL[table] ?? [], ...besides[table] ?? []],
    // That a call was refused, or that an agent came, is entered and changes nothing else.
    callsOnly: true,
  });
}

/** Every row of every table. */
export function everyRow(database: Database): Promise<Record<string, string[]>> {
  return rowsOf(database, { leftOut: () => [], callsOnly: false });
}

/**
 * @param of `leftOut`: columns of a table. `callsOnly`: of the audit log the calls that have changed
 * something.
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
