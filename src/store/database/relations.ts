/** Reads and writes the fields of a record that are lists of ids. They are stored in separate tables. */
import { relationsOf } from "../../definitions/fields/columns.ts";
import type { FieldTable, Relation } from "../../definitions/fields/field.ts";
import type { Sql } from "./sql.ts";

/**
 * Returns SQL for a record's fields that are lists of ids, one column for each field. The record's table must
 * have the alias `t`. Each list is stored in a table of its own, whose column `owner` refers to the record.
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
 * Replaces one list of ids of the record `id`. The list is stored in a table of its own, whose column `owner`
 * refers to the record.
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

/**
 * Returns those of `ids` whose records belong to the workspace. Until the transaction ends, these records
 * cannot be deleted.
 */
export async function ownedRecords(
  sql: Sql,
  { records }: Relation,
  workspaceId: number,
  ids: readonly number[],
): Promise<Set<number>> {
  const rows = await sql<{ id: number }[]>`
    select id from ${sql(records)}
    where workspace_id = ${workspaceId} and id = any(${[...ids]}::bigint[]) for key share`;
  return new Set(rows.map((row) => row.id));
}
