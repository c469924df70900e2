/** Declares the columns of a table once, for the type of a row and for the list of a `select`. */

/** A column whose values have the type `T`. Has no value itself. */
export interface Column<T> {
  readonly values?: T;
}

export type Columns = Readonly<Record<string, Column<unknown>>>;

/** A row with these columns. */
export type RowOf<C extends Columns> = {
  -readonly [name in keyof C]: C[name] extends Column<infer T> ? T : never;
};

/** Declares a column of the type `T`. */
export function column<T>(): Column<T> {
  return {};
}

/** Returns the columns' names, for `select ${sql(namesOf(COLUMNS))}`. */
export function namesOf<C extends Columns>(columns: C): (keyof C & string)[] {
  return Object.keys(columns);
}
