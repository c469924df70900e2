/**
 * Definition of a resource's field, from which everything else about it is derived: the input, the record,
 * the column and default, the API document, the flag of the command line, the row in the manual.
 */
import type * as z from "zod";

/**
 * A field has one of three kinds. A required field has to be sent for a new record. A field with a default
 * keeps its value when null is sent. Any other field is optional: its default is null, and null clears it.
 */
export interface Field {
  /** Format of a value; null and absence are derived from the kind. */
  readonly schema: z.ZodType;
  /** One line that says what the field sets, without a capital letter and a full stop. */
  readonly help: string;
  /** Sentences for the API document. Default: the help. */
  readonly description?: string;
  readonly example?: unknown;
  /** Placeholder for a value in help texts, such as `seconds`. Default: by the field's format. */
  readonly placeholder?: string;
  readonly isRequired?: true;
  /** Value of a new record if nothing is sent. */
  readonly default?: unknown;
  /** Where the default comes from if it is no constant. */
  readonly defaultFrom?: string;
  /** Null sets the default again, instead of leaving the value. */
  readonly isResetByNull?: true;
  /** Stored encrypted in the column `<name>_encrypted`, and shown as `has_<name>` only. */
  readonly isSecret?: true;
  /** The command line asks for it twice: a typing error would be noticed too late. */
  readonly isTypedTwice?: true;
  /** A list of ids that is stored in a table of its own. */
  readonly relation?: Relation;
  /** An entry of a field that is a map, under a name of its own. It has no column. */
  readonly entryOf?: { readonly field: string; readonly key: string };
  /** Another place in the record where it is shown, such as `source.path`. */
  readonly alsoShownAs?: `${string}.${string}`;
  /**
   * Whether backup jobs contain it among their `options`. An agent that is older than the field ignores it.
   */
  readonly isSentToAgent?: true;
  /**
   * Whether a change of it makes the task another source. Older backups then can't be compared with new ones.
   */
  readonly definesSource?: true;
}

/** Table that joins records with the ones that a list of ids names. */
export interface Relation {
  readonly table: string;
  /** Column of the table that holds the ids. */
  readonly column: string;
  /** Table of the named records. */
  readonly records: string;
}

export type FieldTable = Readonly<Record<string, Field>>;

/** Returns the fields as they are, with their exact types. */
export function defineFields<const T extends FieldTable>(fields: T): T {
  return fields;
}

type HasValue = { isRequired: true } | { default: unknown } | { defaultFrom: string };

/** Value of a field in a record. */
export type Value<F extends Field> = z.output<F["schema"]> | (F extends HasValue ? never : null);

/** Value of a field as callers see it: a map has every entry. */
type ShownValue<F extends Field> = F extends { entryOf: unknown } ? z.output<F["schema"]>
  : Value<F> extends readonly unknown[] ? Value<F>
  : Value<F> extends Record<string, unknown> ? Required<Value<F>>
  : Value<F>;

/** Values that callers may send. An absent one leaves the field unchanged. */
export type Input<T extends FieldTable> = { -readonly [N in keyof T]?: Value<T[N]> };

type RequiredName<T extends FieldTable> = {
  [N in keyof T]: T[N] extends { isRequired: true } ? N : never;
}[keyof T];

/** Values of a new record. */
export type NewInput<T extends FieldTable> = Input<T> & Required<Pick<Input<T>, RequiredName<T>>>;

/** Columns of a record. */
export type Columns<T extends FieldTable> = {
  -readonly [N in keyof T & string as ColumnName<N, T[N]>]: T[N] extends { isSecret: true } ? string | null
    : Value<T[N]>;
};

type ColumnName<N extends string, F extends Field> = F extends { relation: Relation } | { entryOf: unknown }
  ? never
  : F extends { isSecret: true } ? `${N}_encrypted`
  : N;

/** Lists of ids that are stored in tables of their own. */
export type Relations<T extends FieldTable> = {
  -readonly [N in keyof T as T[N] extends { relation: Relation } ? N : never]: number[];
};

/** Fields as callers see them. */
export type Shown<T extends FieldTable> = {
  -readonly [N in keyof T & string as T[N] extends { isSecret: true } ? `has_${N}` : N]: T[N] extends
    { isSecret: true } ? boolean : ShownValue<T[N]>;
};

/** Fields as callers see them inside the object `G` of a record. */
export type ShownInside<T extends FieldTable, G extends string> = {
  -readonly [N in keyof T as T[N] extends { alsoShownAs: `${G}.${infer A}` } ? A : never]: Value<T[N]>;
};
