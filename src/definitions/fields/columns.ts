/** Columns of a record, derived from the definitions of fields. */
import type { Columns, Field, FieldTable, Input, NewInput, Relation } from "./field.ts";

/** Encrypts a secret. */
export type Seal = (secret: string) => string;

/** Returns the columns of a new record. A default that is no constant is the caller's to set. */
export function newColumns<T extends FieldTable>(
  fields: T,
  input: NewInput<T>,
  seal: Seal = refuseSecret,
): Columns<T> {
  const defaults = Object.entries(fields).filter(([, field]) => field.relation === undefined)
    .map(([name, field]) => [columnOf(name, field), field.default ?? null]);
  return { ...Object.fromEntries(defaults), ...columnsOf(fields, input, seal) };
}

/** Returns the columns of the fields that were sent. */
export function columnsOf<T extends FieldTable>(
  fields: T,
  input: Input<T>,
  seal: Seal,
): Partial<Columns<T>> {
  const columns: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = input[name];
    if (value === undefined || field.relation !== undefined) continue;
    columns[columnOf(name, field)] = field.isSecret && value !== null ? seal(value as string) : value;
  }
  return columns as Partial<Columns<T>>;
}

function refuseSecret(): never {
  throw new TypeError("Cannot store a secret: nothing seals it");
}

function columnOf(name: string, { isSecret }: Field): string {
  return isSecret ? `${name}_encrypted` : name;
}

/** Returns the names of the columns. */
export function columnNames<T extends FieldTable>(fields: T): (keyof Columns<T> & string)[] {
  return Object.entries(fields).filter(([, { relation }]) => relation === undefined)
    .map(([name, field]) => columnOf(name, field)) as (keyof Columns<T> & string)[];
}

/** Returns the tables that hold lists of ids, by field. */
export function relationsOf(fields: FieldTable): [name: string, relation: Relation][] {
  return Object.entries(fields).flatMap(([name, { relation }]) =>
    relation === undefined ? [] : [[name, relation]]
  );
}
