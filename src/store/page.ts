/** One page of a listing, and how many rows there are in all. */
import type { Fragment, Sql } from "./database.ts";

export interface Page<Row> {
  rows: Row[];
  total: number;
}

/** The order of a listing, as callers name it: `-created_at` is the newest first. */
export interface ListOrder {
  readonly sort?: string;
}

/** Columns that may be empty: what has none comes last, which costs the use of an index. */
const NULLABLE = new Set(["next_run_at", "last_connected_at", "last_used_at", "expires_at"]);

/**
 * The `order by` of a listing. @param columns The columns by which it may be sorted, by the name that callers
 * use; without a `sort`, or with another one, it is `id`.
 */
export function orderBy(sql: Sql, sort: string | undefined, columns: Readonly<Record<string, string>> = {}) {
  const isDescending = sort?.startsWith("-") ?? false;
  const direction = isDescending ? sql`desc` : sql`asc`;
  const column = columns[sort?.replace(/^-/, "") ?? ""];
  if (column === undefined) return sql`order by id ${direction}`;
  const nulls = NULLABLE.has(column) ? sql`nulls last` : sql``;
  return sql`order by ${sql(column)} ${direction} ${nulls}, id ${direction}`;
}

/** Whether one of the columns holds a text, in any case. */
export function holdsText(sql: Sql, columns: readonly string[], text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
  const parts = columns.map((column) => sql`${sql(column)} ilike ${pattern}`);
  return sql`(${parts.reduce((all, part) => sql`${all} or ${part}`)})`;
}

/** Conditions, all of which hold; those that are null are left out. */
export function allOf(sql: Sql, conditions: readonly (Fragment | null)[]): Fragment {
  return conditions.filter((each) => each !== null).reduce((all, each) => sql`${all} and ${each}`, sql`true`);
}
