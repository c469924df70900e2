/** Finds the encrypted values in the database, counts them by key, and replaces them. */
import type { Sql } from "./sql.ts";

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /**
   * Whether each value of the column is an object of encrypted values. If false, each value is one encrypted
   * value.
   */
  readonly isObject: boolean;
}

/**
 * Returns every column with values that `src/secrets/keyring.ts` encrypted. The names of text columns end
 * with `_encrypted`. Columns with objects are named `secrets` or `source_secrets`.
 *
 * Some tables store the same values twice, in an object and in text columns. Control planes of an older
 * version need the text columns. These text columns are left out, because a trigger keeps them equal to the
 * object.
 */
export async function sealedColumns(sql: Sql): Promise<SealedColumn[]> {
  return await sql<SealedColumn[]>`
    select c.table_name as table, c.column_name as column, c.data_type = 'jsonb' as "isObject"
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where table_schema = current_schema() and table_type = 'BASE TABLE'
      and (column_name in ('secrets', 'source_secrets') and data_type = 'jsonb'
        or column_name like '%\\_encrypted' and not exists (
          select from information_schema.columns other
          where (other.table_schema, other.table_name) = (c.table_schema, c.table_name)
            and other.data_type = 'jsonb' and (other.column_name = 'secrets'
              or other.column_name = 'source_secrets' and c.column_name = 'database_password_encrypted')
        ))
    order by 1, 2`;
}

/** Returns a query for a column's values. Its result has one column, `value`. */
function valuesOf(sql: Sql, { table, column, isObject }: SealedColumn) {
  return isObject
    ? sql`select value from ${sql(table)}, jsonb_each_text(${sql(column)})`
    : sql`select ${sql(column)} as value from ${sql(table)} where ${sql(column)} is not null`;
}

/** Returns how many values each key encrypts, by the key's id. */
export async function countSealed(sql: Sql): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const column of await sealedColumns(sql)) {
    const rows = await sql<{ id: string; count: number }[]>`
      select split_part(value, ':', 2) as id, count(*) as count from (${
      valuesOf(sql, column)
    }) sealed group by 1`;
    for (const { id, count } of rows) counts.set(id, (counts.get(id) ?? 0) + count);
  }
  return counts;
}

/** Returns the ids of all keys that encrypt values in the database, sorted, without duplicates. */
export async function sealingKeyIds(sql: Sql): Promise<string[]> {
  return [...(await countSealed(sql)).keys()].sort();
}

/** Returns values of a column, at most `limit`, that are encrypted with a key that is not in `keyIds`. */
export async function sealedByOthers(
  sql: Sql,
  column: SealedColumn,
  keyIds: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ value: string }[]>`
    select distinct value from (${valuesOf(sql, column)}) sealed
    where split_part(value, ':', 2) <> all(${[...keyIds]}) limit ${limit}`;
  return rows.map(({ value }) => value);
}

/**
 * Replaces the first value of each pair by the second. Skips values that were changed after they were read.
 * Returns the number of changed rows.
 */
export async function replaceSealed(
  sql: Sql,
  { table, column, isObject }: SealedColumn,
  pairs: readonly (readonly [string, string])[],
): Promise<number> {
  const before = pairs.map(([value]) => value);
  const after = pairs.map(([, value]) => value);
  const { count } = isObject
    ? await sql`
      update ${sql(table)} set ${sql(column)} = (
        select jsonb_object_agg(each.key, coalesce(pair.after, each.value)) from jsonb_each_text(${
      sql(column)
    }) each
        left join unnest(${before}::text[], ${after}::text[]) as pair (before, after) on pair.before = each.value
      )
      where exists (select from jsonb_each_text(${
      sql(column)
    }) each where each.value = any(${before}::text[]))`
    : await sql`
      update ${sql(table)} set ${sql(column)} = pair.after
      from unnest(${before}::text[], ${after}::text[]) as pair (before, after)
      where ${sql(table)}.${sql(column)} = pair.before`;
  return count;
}
