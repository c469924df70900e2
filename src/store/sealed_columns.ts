/** Which keys the database's secrets are sealed with. */
import type { Sql } from "./database.ts";

/** Ids, as `src/secrets/keyring.ts` writes them into each value; sorted, without repetition. */
export async function sealingKeyIds(sql: Sql): Promise<string[]> {
  const columns = await sql<{ table_name: string; column_name: string }[]>`
    select c.table_name, c.column_name
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where table_schema = current_schema() and table_type = 'BASE TABLE' and column_name like '%\\_encrypted'`;
  const ids = new Set<string>();
  for (const { table_name, column_name } of columns) {
    const column = sql(column_name);
    const rows = await sql<{ id: string }[]>`
      select distinct split_part(${column}, ':', 2) as id from ${
      sql(table_name)
    } where ${column} is not null`;
    for (const { id } of rows) ids.add(id);
  }
  return [...ids].sort();
}
