/**
 * Declares the columns of a table in one place. The type of the table's rows and the list of columns in a
 * `select` both follow from this declaration.
 */

/** A column whose values have the type `T`. It exists for its type alone, and has no fields at run time. */
export interface Column<T> {
  readonly values?: T;
}

export type Columns = Readonly<Record<string, Column<unknown>>>;

/** The type of a row with these columns. */
export type RowOf<C extends Columns> = {
  -readonly [name in keyof C]: C[name] extends Column<infer T> ? T : never;
};

/** Declares a column whose values have the type `T`. */
export function column<T>(): Column<T> {
  return {};
}

/** Returns the names of the columns, for `select ${sql(namesOf(COLUMNS))}`. */
export function namesOf<C extends Columns>(columns: C): (keyof C & string)[] {
  return Object.keys(columns);
}
