/** Computes the columns of a record from the definitions of its fields. */
import type { Columns, Field, FieldTable, Input, NewInput, Relation } from "./field.ts";
import { formatOf } from "./format.ts";

/** Encrypts a secret and returns the text to store. */
export type Seal = (secret: string) => string;

/**
 * Returns the columns of a new record. The caller sets the columns of fields whose default is not a constant.
 */
export function newColumns<T extends FieldTable>(
  fields: T,
  input: NewInput<T>,
  seal: Seal = refuseSecret,
): Columns<T> {
  const defaults = Object.entries(fields).filter(([, field]) => hasColumn(field))
    .map(([name, field]) => [columnOf(name, field), isMap(field) ? {} : field.default ?? null]);
  return { ...Object.fromEntries(defaults), ...columnsOf(fields, input, seal) };
}

/**
 * Returns the columns of the fields that were sent. A field that is a map keeps its stored entries that were
 * not sent. Entries that were never sent are not stored, so they keep following the default.
 *
 * @param current The record before the change.
 */
export function columnsOf<T extends FieldTable>(
  fields: T,
  input: Input<T>,
  seal: Seal,
  current: Partial<Columns<T>> = {},
): Partial<Columns<T>> {
  const columns: Record<string, unknown> = {};
  const addEntries = (name: string, entries: unknown) => {
    columns[name] = {
      ...(columns[name] ?? (current as Record<string, unknown>)[name]) as object,
      ...entries as object,
    };
  };
  for (const [name, field] of Object.entries(fields)) {
    const value = input[name];
    if (value === undefined || field.relation !== undefined) continue;
    if (field.entryOf !== undefined) addEntries(field.entryOf.field, { [field.entryOf.key]: value });
    else if (isMap(field)) addEntries(name, value);
    else columns[columnOf(name, field)] = field.isSecret && value !== null ? seal(value as string) : value;
  }
  return columns as Partial<Columns<T>>;
}

function isMap({ schema }: Field): boolean {
  return formatOf(schema).type === "map";
}

function hasColumn({ relation, entryOf }: Field): boolean {
  return relation === undefined && entryOf === undefined;
}

function refuseSecret(): never {
  throw new TypeError("Cannot store a secret: nothing seals it");
}

function columnOf(name: string, { isSecret }: Field): string {
  return isSecret ? `${name}_encrypted` : name;
}

export function columnNames<T extends FieldTable>(fields: T): (keyof Columns<T> & string)[] {
  return Object.entries(fields).filter(([, field]) => hasColumn(field))
    .map(([name, field]) => columnOf(name, field)) as (keyof Columns<T> & string)[];
}

/** Returns the fields whose lists of ids have a table of their own, and those tables. */
export function relationsOf(fields: FieldTable): [name: string, relation: Relation][] {
  return Object.entries(fields).flatMap(([name, { relation }]) =>
    relation === undefined ? [] : [[name, relation]]
  );
}
