/**
 * Defines a field of a resource. Everything else about the field is derived from its definition: input,
 * record, column, API document, command-line flag and row in the manual.
 */
import type * as z from "zod";

/**
 * A field is required, has a default, or is optional.
 * - Required: a new record needs a value.
 * - Default: a new record gets the default if no value is sent. Null keeps the current value. With
 *   `isResetByNull`, null sets the default instead.
 * - Optional: the value is null by default, and null clears it.
 */
export interface Field {
  /**
   * Schema of the field's values. It does not allow null; `isRequired` and `default` determine whether the
   * field is allowed to be null or absent.
   */
  readonly schema: z.ZodType;
  /** The effect of the field, in one line without capital letter and full stop. */
  readonly help: string;
  /** Sentences for the API document. Default: `help` as a sentence. */
  readonly description?: string;
  readonly example?: unknown;
  /** Placeholder for a value in help texts, such as `seconds`. The default depends on the field's format. */
  readonly placeholder?: string;
  readonly isRequired?: true;
  /** Value in a new record if none is sent. */
  readonly default?: unknown;
  /** Origin of the default, if it is not a constant. */
  readonly defaultFrom?: string;
  /** Whether null resets the field to its default. If false, null keeps the value. */
  readonly isResetByNull?: true;
  /**
   * Whether the value is stored encrypted, in the column `<name>_encrypted` or in the object `storedIn`. The
   * API shows only `has_<name>`.
   */
  readonly isSecret?: true;
  /** Whether the command line asks for the value twice, to detect typing errors. */
  readonly isTypedTwice?: true;
  /** The table that stores the field, if the field is a list of ids. */
  readonly relation?: Relation;
  /**
   * Set if the field is an alias for one entry of another field that is a map. Contains the name of the map
   * field and the key of the entry. The alias has no column of its own.
   */
  readonly entryOf?: { readonly field: string; readonly key: string };
  /**
   * The column that stores the field, if the field has no column of its own. The column holds an object with
   * one entry for each field that has a value.
   */
  readonly storedIn?: string;
  /** Path at which the record shows the value a second time, such as `source.path`. */
  readonly alsoShownAs?: `${string}.${string}`;
  /**
   * Whether backup jobs contain the field among their `options`. Older agents ignore a field that they do not
   * support.
   */
  readonly isSentToAgent?: true;
  /**
   * Whether a change of the field makes the task back up another source. Older backups then can't be compared
   * with new ones.
   */
  readonly definesSource?: true;
}

/** Table that stores a field whose value is a list of ids. Each row relates a record to one listed record. */
export interface Relation {
  readonly table: string;
  /** Name of the column that holds the listed ids. */
  readonly column: string;
  /** Table of the records whose ids are listed. */
  readonly records: string;
  /**
   * Name of the column that holds each entry's position in the list. If missing, the list is in ascending
   * order of ids.
   */
  readonly orderedBy?: string;
}

export type FieldTable = Readonly<Record<string, Field>>;

/** Returns the fields unchanged, and preserves their exact types. */
export function defineFields<const T extends FieldTable>(fields: T): T {
  return fields;
}

type HasValue = { isRequired: true } | { default: unknown } | { defaultFrom: string };

/** Value of a field in a record; null is possible only if the field is optional. */
export type Value<F extends Field> = z.output<F["schema"]> | (F extends HasValue ? never : null);

/** Value of a field as callers see it. A map always has all its entries. */
type ShownValue<F extends Field> = F extends { entryOf: unknown } ? z.output<F["schema"]>
  : Value<F> extends readonly unknown[] ? Value<F>
  : Value<F> extends Record<string, unknown> ? Required<Value<F>>
  : Value<F>;

/** Values that callers may send. A field that is left out does not change. */
export type Input<T extends FieldTable> = { -readonly [N in keyof T]?: Value<T[N]> };

type RequiredName<T extends FieldTable> = {
  [N in keyof T]: T[N] extends { isRequired: true } ? N : never;
}[keyof T];

/** Values that callers send for a new record. */
export type NewInput<T extends FieldTable> = Input<T> & Required<Pick<Input<T>, RequiredName<T>>>;

/** Value of a field as it is stored. A secret is encrypted. */
type StoredValue<F extends Field> = F extends { isSecret: true } ? string | null : Value<F>;

/** Stored values by field. */
export type StoredValues<T extends FieldTable> = {
  -readonly [N in keyof T as T[N] extends { relation: Relation } ? never : N]: StoredValue<T[N]>;
};

/** Columns of a record with these fields. */
export type Columns<T extends FieldTable> =
  & { -readonly [N in keyof T & string as ColumnName<N, T[N]>]: StoredValue<T[N]> }
  & { -readonly [C in ObjectColumn<T>]: StoredObject<T, C> };

type ColumnName<N extends string, F extends Field> = F extends
  { relation: Relation } | { entryOf: unknown } | { storedIn: string } ? never
  : F extends { isSecret: true } ? `${N}_encrypted`
  : N;

/** Names of the columns that hold objects. */
type ObjectColumn<T extends FieldTable> = {
  [N in keyof T]: T[N] extends { storedIn: infer C extends string } ? C : never;
}[keyof T];

/** The object in the column `C`: the stored values of its fields by name. */
type StoredObject<T extends FieldTable, C extends string> = {
  readonly [N in keyof T as T[N] extends { storedIn: C } ? N : never]?: NonNullable<StoredValue<T[N]>>;
};

/** Fields whose values are lists of ids. Each of these fields has a table of its own for its ids. */
export type Relations<T extends FieldTable> = {
  -readonly [N in keyof T as T[N] extends { relation: Relation } ? N : never]: number[];
};

/** Fields of a record as callers see them. */
export type Shown<T extends FieldTable> = {
  -readonly [N in keyof T & string as T[N] extends { isSecret: true } ? `has_${N}` : N]: T[N] extends
    { isSecret: true } ? boolean : ShownValue<T[N]>;
};

/**
 * Fields that a record also shows inside its object `G`. The keys are the names of the fields in that object.
 */
export type ShownInside<T extends FieldTable, G extends string> = {
  -readonly [N in keyof T as T[N] extends { alsoShownAs: `${G}.${infer A}` } ? A : never]: Value<T[N]>;
};
