/** Which tables of a database the task's excluded names mean. */
import type { PostgresqlConnection } from "./postgresql_connection.ts";
import type { TableRows } from "./row_counts.ts";

interface Table {
  /** The name in the task that led to it. */
  entry: string;
  schema: string;
  name: string;
}

/** A name is taken literally: `table` in every schema, or `schema.table`. The partitions of a table go with it. */
export async function findExcludedTables(
  connection: PostgresqlConnection,
  psql: string,
  database: string,
  entries: string[],
): Promise<Table[]> {
  return await connection.query<Table>(
    psql,
    database,
    `with recursive found as (
       select w.entry, c.oid
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join unnest(${array(entries)}) as w(entry)
         on c.relname = w.entry or n.nspname || '.' || c.relname = w.entry
       where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       union
       select found.entry, i.inhrelid
       from found
       join pg_catalog.pg_inherits i on i.inhparent = found.oid
       join pg_catalog.pg_class c on c.oid = i.inhrelid
       where c.relkind in ('r', 'p', 'f') and pg_catalog.pg_get_expr(c.relpartbound, c.oid) is not null
     )
     select found.entry, n.nspname as schema, c.relname as name
     from found
     join pg_catalog.pg_class c on c.oid = found.oid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     order by 2, 3`,
  );
}

/** pg_dump reads patterns; within quotes nothing but a quote is special. */
export function excludeArgument({ schema = "public", name }: Pick<TableRows, "schema" | "name">): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `--exclude-table=${quote(schema)}.${quote(name)}`;
}

function array(texts: string[]): string {
  const quoted = texts.map((text) => `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`);
  return `array[${quoted.join(", ")}]::text[]`;
}
