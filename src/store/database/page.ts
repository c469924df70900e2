/** One page of a listing, and the total number of rows. */
import type { Fragment, Sql } from "./sql.ts";

export interface Page<Row> {
  rows: Row[];
  total: number;
}

/** The order of a listing, by the name in requests: `-created_at` means the newest first. */
export interface ListOrder {
  readonly sort?: string;
}

/** Columns that may be null: nulls come last, so sorting cannot use an index. */
const NULLABLE = new Set(["next_run_at", "last_connected_at", "last_used_at", "expires_at"]);

/**
 * Returns the `order by` of a listing.
 *
 * @param columns The sortable columns, by the name that callers use. Without a known `sort`, the order is by
 *   `id`.
 */
export function orderBy(sql: Sql, sort: string | undefined, columns: Readonly<Record<string, string>> = {}) {
  const isDescending = sort?.startsWith("-") ?? false;
  const direction = isDescending ? sql`desc` : sql`asc`;
  const column = columns[sort?.replace(/^-/, "") ?? ""];
  if (column === undefined) return sql`order by id ${direction}`;
  const nulls = NULLABLE.has(column) ? sql`nulls last` : sql``;
  return sql`order by ${sql(column)} ${direction} ${nulls}, id ${direction}`;
}

/** Returns a condition: one of the columns contains a text, in any case. */
export function containsText(sql: Sql, columns: readonly (string | Fragment)[], text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
  const parts = columns.map((column) =>
    sql`${typeof column === "string" ? sql(column) : column} ilike ${pattern}`
  );
  return sql`(${parts.reduce((all, part) => sql`${all} or ${part}`)})`;
}

/** Returns a condition for each column whose value is given. */
export function equalTo(sql: Sql, values: Readonly<Record<string, string | number | undefined>>): Fragment[] {
  return Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([column, value]) => sql`${sql(column)} = ${value!}`);
}

/** Returns the conditions of a time range: created at `since` or later, and before `until`. */
export function createdWithin(sql: Sql, { since, until }: { since?: Date; until?: Date }): Fragment[] {
  return [
    ...since === undefined ? [] : [sql`created_at >= ${since}`],
    ...until === undefined ? [] : [sql`created_at < ${until}`],
  ];
}

/** Joins conditions with `and`; leaves out null. */
export function allOf(sql: Sql, conditions: readonly (Fragment | null)[]): Fragment {
  return conditions.filter((each) => each !== null).reduce((all, each) => sql`${all} and ${each}`, sql`true`);
}
