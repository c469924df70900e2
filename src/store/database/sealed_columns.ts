/** The database's sealed values: which keys they are sealed with, and others put in their place. */
import type { Sql } from "./sql.ts";

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
}

/** Every column that holds what `src/secrets/keyring.ts` writes. */
export async function sealedColumns(sql: Sql): Promise<SealedColumn[]> {
  return await sql<SealedColumn[]>`
    select c.table_name as table, c.column_name as column
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where table_schema = current_schema() and table_type = 'BASE TABLE' and column_name like '%\\_encrypted'
    order by 1, 2`;
}

/** How many values each key seals, by its id. */
export async function countSealed(sql: Sql): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { table, column } of await sealedColumns(sql)) {
    const rows = await sql<{ id: string; count: number }[]>`
      select split_part(${sql(column)}, ':', 2) as id, count(*) as count
      from ${sql(table)} where ${sql(column)} is not null group by 1`;
    for (const { id, count } of rows) counts.set(id, (counts.get(id) ?? 0) + count);
  }
  return counts;
}

/** Ids, as `src/secrets/keyring.ts` writes them into each value; sorted, without repetition. */
export async function sealingKeyIds(sql: Sql): Promise<string[]> {
  return [...(await countSealed(sql)).keys()].sort();
}

/** Returns some of the values that are sealed with other keys than these. */
export async function sealedByOthers(
  sql: Sql,
  { table, column }: SealedColumn,
  keyIds: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ value: string }[]>`
    select distinct ${sql(column)} as value from ${sql(table)}
    where ${sql(column)} is not null and split_part(${sql(column)}, ':', 2) <> all(${[
    ...keyIds,
  ]}) limit ${limit}`;
  return rows.map(({ value }) => value);
}

/**
 * Puts the second of each pair wherever the first still is: what was changed meanwhile stays. Returns how
 * many rows it changed.
 */
export async function replaceSealed(
  sql: Sql,
  { table, column }: SealedColumn,
  pairs: readonly (readonly [string, string])[],
): Promise<number> {
  const before = pairs.map(([value]) => value);
  const after = pairs.map(([, value]) => value);
  const { count } = await sql`
    update ${sql(table)} set ${sql(column)} = pair.after
    from unnest(${before}::text[], ${after}::text[]) as pair (before, after)
    where ${sql(table)}.${sql(column)} = pair.before`;
  return count;
}
