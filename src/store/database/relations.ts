/** Reads and writes the fields of a record that are lists of ids. They are stored in separate tables. */
import { relationsOf } from "../../definitions/fields/columns.ts";
import type { FieldTable, Relation } from "../../definitions/fields/field.ts";
import type { Sql } from "./sql.ts";

/**
 * Returns SQL for the columns with a record `t`'s lists of ids. `owner` is the column of the lists' tables
 * that refers to the record.
 */
export function relatedIds(sql: Sql, fields: FieldTable, owner: string) {
  return relationsOf(fields).map(([name, { table, column, orderedBy = column }]) =>
    sql`(
      select coalesce(json_agg(${sql(column)} order by ${sql(orderedBy)}), '[]')
      from ${sql(table)} where ${sql(owner)} = t.id
    ) as ${sql(name)}`
  ).reduce((all, each) => sql`${all}, ${each}`);
}

/**
 * Replaces one of the lists of ids of the record `id`. `owner` is the column of the list's table that refers
 * to the record.
 */
export async function replaceRelated(
  sql: Sql,
  { table, column, orderedBy }: Relation,
  owner: string,
  id: number,
  relatedIds: readonly number[],
): Promise<void> {
  await sql`delete from ${sql(table)} where ${sql(owner)} = ${id}`;
  const [name, value] = orderedBy === undefined
    ? [sql``, sql``]
    : [sql`, ${sql(orderedBy)}`, sql`, position`];
  await sql`
    insert into ${sql(table)} (${sql(owner)}, ${sql(column)}${name})
    select ${id}, related${value}
    from unnest(${[...new Set(relatedIds)]}::bigint[]) with ordinality as list (related, position)`;
}

/** Returns those of `ids` that belong to the user, and prevents their deletion until the transaction ends. */
export async function ownedRecords(
  sql: Sql,
  { records }: Relation,
  userId: number,
  ids: readonly number[],
): Promise<Set<number>> {
  const rows = await sql<{ id: number }[]>`
    select id from ${sql(records)}
    where user_id = ${userId} and id = any(${[...ids]}::bigint[]) for key share`;
  return new Set(rows.map((row) => row.id));
}
