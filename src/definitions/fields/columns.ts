/**
 * Computes the columns of a record from the record's field definitions, and reads values from the columns.
 */
import type { Columns, Field, FieldTable, Input, NewInput, Relation, StoredValues } from "./field.ts";
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
    .map(([name, field]) => [columnOf(name, field), isObject(field) ? {} : field.default ?? null]);
  return { ...Object.fromEntries(defaults), ...columnsOf(fields, input, seal) };
}

/**
 * Returns the columns of the fields that the caller sent.
 * - If the field is a map, entries that the caller did not send are kept.
 * - If the field is stored as a property of an object, the object's other properties are kept.
 * - A value that no caller has ever sent is not stored. If the field's default changes later, the new default
 *   applies.
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
  const addEntries = (column: string, entries: object) => {
    const merged = {
      ...(columns[column] ?? (current as Record<string, unknown>)[column]) as object,
      ...entries,
    };
    columns[column] = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  };
  for (const [name, field] of Object.entries(fields)) {
    const sent = input[name];
    if (sent === undefined || field.relation !== undefined) continue;
    const value = field.isSecret && sent !== null ? seal(sent as string) : sent;
    if (field.entryOf !== undefined) addEntries(field.entryOf.field, { [field.entryOf.key]: value });
    else if (field.storedIn !== undefined) addEntries(field.storedIn, { [name]: value });
    else if (isMap(field)) addEntries(name, value as object);
    else columns[columnOf(name, field)] = value;
  }
  return columns as Partial<Columns<T>>;
}

/** Returns a record's stored values by field. Secrets stay encrypted. A value that is not set is null. */
export function storedValues<T extends FieldTable>(fields: T, row: Columns<T>): StoredValues<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, { relation }]) => relation === undefined)
      .map(([name, field]) => [name, storedValue(name, field, row)]),
  ) as StoredValues<T>;
}

/**
 * Returns the stored value of a field. A secret stays encrypted. A map gets the defaults of its missing
 * entries.
 */
export function storedValue(name: string, field: Field, row: object): unknown {
  const columns = row as Record<string, unknown>;
  const entryOf = (column: string, key: string) => (columns[column] as Record<string, unknown>)[key];
  if (field.entryOf !== undefined) return entryOf(field.entryOf.field, field.entryOf.key) ?? field.default;
  if (field.storedIn !== undefined) return entryOf(field.storedIn, name) ?? field.default ?? null;
  const format = formatOf(field.schema);
  if (format.type !== "map") return columns[columnOf(name, field)];
  const defaults = field.default as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(format.entries).map((key) => [key, entryOf(name, key) ?? defaults[key]]),
  );
}

function isMap({ schema }: Field): boolean {
  return formatOf(schema).type === "map";
}

/** Returns whether the field's column holds objects. */
function isObject(field: Field): boolean {
  return field.storedIn !== undefined || isMap(field);
}

function hasColumn({ relation, entryOf }: Field): boolean {
  return relation === undefined && entryOf === undefined;
}

function refuseSecret(): never {
  throw new TypeError("Cannot store a secret: nothing seals it");
}

function columnOf(name: string, { isSecret, storedIn }: Field): string {
  return storedIn ?? (isSecret ? `${name}_encrypted` : name);
}

export function columnNames<T extends FieldTable>(fields: T): (keyof Columns<T> & string)[] {
  const names = Object.entries(fields).filter(([, field]) => hasColumn(field))
    .map(([name, field]) => columnOf(name, field));
  return [...new Set(names)] as (keyof Columns<T> & string)[];
}

/** Returns the fields that are lists of ids, each with the table that stores the list. */
export function relationsOf(fields: FieldTable): [name: string, relation: Relation][] {
  return Object.entries(fields).flatMap(([name, { relation }]) =>
    relation === undefined ? [] : [[name, relation]]
  );
}
