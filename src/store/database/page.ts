/** Builds the SQL of listings: pages, order and filters. */
import type { Fragment, Sql } from "./sql.ts";

export interface Page<Row> {
  rows: Row[];
  total: number;
}

/**
 * The order of a listing, by a name that requests use: `created_at` means the oldest first, `-created_at` the
 * newest first.
 */
export interface ListOrder {
  readonly sort?: string;
}

/**
 * Columns that can be null. A listing shows their null values last. So Postgres cannot sort by these columns
 * with an index.
 */
const NULLABLE = new Set(["next_run_at", "last_connected_at", "last_used_at", "expires_at"]);

/**
 * Returns the `order by` clause of a listing. `sort` names the entry of `columns` to sort by. Without `sort`,
 * the listing is sorted by `id`.
 * @param columns The sortable columns, by the names that requests use.
 */
export function orderBy(sql: Sql, sort: string | undefined, columns: Readonly<Record<string, string>> = {}) {
  const isDescending = sort?.startsWith("-") ?? false;
  const direction = isDescending ? sql`desc` : sql`asc`;
  const column = columns[sort?.replace(/^-/, "") ?? ""];
  if (column === undefined) return sql`order by id ${direction}`;
  const nulls = NULLABLE.has(column) ? sql`nulls last` : sql``;
  return sql`order by ${sql(column)} ${direction} ${nulls}, id ${direction}`;
}

/** Returns an SQL condition: at least one of the columns contains the text, ignoring case. */
export function containsText(sql: Sql, columns: readonly (string | Fragment)[], text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
  const parts = columns.map((column) =>
    sql`${typeof column === "string" ? sql(column) : column} ilike ${pattern}`
  );
  return sql`(${parts.reduce((all, part) => sql`${all} or ${part}`)})`;
}

/** Returns an SQL condition `column = value` for each value that is not undefined. */
export function equalTo(sql: Sql, values: Readonly<Record<string, string | number | undefined>>): Fragment[] {
  return Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([column, value]) => sql`${sql(column)} = ${value!}`);
}

/** Returns SQL conditions that match records created at `since` or later, and before `until`. */
export function createdWithin(sql: Sql, { since, until }: { since?: Date; until?: Date }): Fragment[] {
  return [
    ...since === undefined ? [] : [sql`created_at >= ${since}`],
    ...until === undefined ? [] : [sql`created_at < ${until}`],
  ];
}

/** Joins conditions with `and`. Ignores null. */
export function allOf(sql: Sql, conditions: readonly (Fragment | null)[]): Fragment {
  return conditions.filter((each) => each !== null).reduce((all, each) => sql`${all} and ${each}`, sql`true`);
}
