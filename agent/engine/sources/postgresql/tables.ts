/** Finds the tables whose rows a task excludes, and the foreign keys that refer to them. */
import type { PostgresqlConnection } from "./connection.ts";
import { identifier, literal } from "./sql.ts";
import type { UncheckedForeignKey } from "../database/row_counts.ts";

export interface ExcludedTable {
  /**
   * The task's entry that names the table. For a partition, the entry can also name the table that it belongs
   * to. Null for a materialized view that no entry names: it is excluded because it reads an excluded
   * materialized view.
   */
  entry: string | null;
  oid: number;
  schema: string;
  name: string;
  /** Type of the relation, as in `pg_class.relkind`. */
  kind: string;
}

/**
 * Returns the tables that the task's entries name, and their partitions. An entry is `schema.table`, or
 * `table` for the tables with this name in all schemas. Names are taken literally.
 *
 * Also returns the materialized views that read an excluded materialized view. A restore does not fill an
 * excluded view. A view that is not filled cannot be read, so the restore could not fill the views that read
 * it.
 */
export async function findExcludedTables(
  connection: PostgresqlConnection,
  psql: string,
  database: string,
  entries: string[],
): Promise<ExcludedTable[]> {
  return await connection.query<ExcludedTable>(
    psql,
    database,
    `with recursive found as (
       select w.entry, c.oid
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join unnest(array[${entries.map(literal).join(", ")}]::text[]) as w(entry)
         on c.relname = w.entry or n.nspname || '.' || c.relname = w.entry
       where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       union
       select found.entry, i.inhrelid
       from found
       join pg_catalog.pg_inherits i on i.inhparent = found.oid
       join pg_catalog.pg_class c on c.oid = i.inhrelid
       where c.relkind in ('r', 'p', 'f') and pg_catalog.pg_get_expr(c.relpartbound, c.oid) is not null
     ),
     readers as (
       select c.oid from found join pg_catalog.pg_class c on c.oid = found.oid where c.relkind = 'm'
       union
       select r.ev_class
       from readers
       join pg_catalog.pg_depend d on d.refobjid = readers.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
         and d.classid = 'pg_catalog.pg_rewrite'::regclass
       join pg_catalog.pg_rewrite r on r.oid = d.objid and r.ev_class <> readers.oid
     ),
     left_out as (
       select entry, oid from found
       union all
       select null, oid from readers where oid not in (select oid from found)
     )
     select left_out.entry, c.oid::bigint as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind
     from left_out
     join pg_catalog.pg_class c on c.oid = left_out.oid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where left_out.entry is not null or c.relkind = 'm'
     order by 3, 4`,
  );
}

/**
 * Finds the foreign keys that lead from tables with rows to tables whose rows are excluded. A restore cannot
 * create these keys as they were, because the rows that the keys refer to are missing.
 */
export async function findUncheckedForeignKeys(
  connection: PostgresqlConnection,
  psql: string,
  database: string,
  excluded: readonly ExcludedTable[],
): Promise<UncheckedForeignKey[]> {
  if (excluded.length === 0) return [];
  const oids = excluded.map(({ oid }) => oid).join(", ");
  return await connection.query<UncheckedForeignKey>(
    psql,
    database,
    // If the search path contains only pg_catalog, a definition names the schema of each table.
    `with settled as materialized (select pg_catalog.set_config('search_path', 'pg_catalog', true))
     select pg_catalog.format('%I.%I', n.nspname, c.relname) as table, k.conname as name,
       pg_catalog.pg_get_constraintdef(k.oid) as definition
     from settled, pg_catalog.pg_constraint k
     join pg_catalog.pg_class c on c.oid = k.conrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where k.contype = 'f' and k.convalidated and k.confrelid in (${oids}) and k.conrelid not in (${oids})
       and coalesce((pg_catalog.to_jsonb(k) ->> 'conparentid')::oid, 0) = 0
     order by 1, 2`,
  );
}

/**
 * Returns the option that makes pg_dump leave out a table's rows. pg_dump reads the table's name as a
 * pattern. In a quoted name, only the quote character has a special meaning.
 */
export function excludeArgument({ schema, name }: Pick<ExcludedTable, "schema" | "name">): string {
  return `--exclude-table-data=${identifier(schema)}.${identifier(name)}`;
}
