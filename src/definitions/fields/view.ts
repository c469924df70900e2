/** Shows records to callers, as the definitions of the records' fields say. */
import * as z from "zod";
import { storedValue } from "./columns.ts";
import type { Columns, Field, FieldTable, Relations, Shown, ShownInside } from "./field.ts";
import { formatOf, schemaOf } from "./format.ts";
import { hasDefault, helpSentence } from "./input.ts";

/** For each field of `S`, the schema of the field's values. */
export type ShapeOf<S> = { [N in keyof S]: z.ZodType<S[N]> };

/** Returns the schemas of a record's fields, as callers see them. */
export function shownShape<T extends FieldTable>(fields: T): ShapeOf<Shown<T>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) =>
      field.isSecret ? [`has_${name}`, z.boolean()] : [name, shownSchema(field)]
    ),
  ) as ShapeOf<Shown<T>>;
}

/** Returns a record's fields as callers see them. For a secret, shows only whether it is set. */
export function presentFields<T extends FieldTable>(
  fields: T,
  row: Columns<T> & Relations<T>,
): Shown<T> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value = field.relation === undefined
        ? storedValue(name, field, row)
        : (row as Record<string, unknown>)[name];
      return field.isSecret ? [`has_${name}`, value !== null] : [name, value];
    }),
  ) as Shown<T>;
}

/**
 * A record can show a field twice: as a field of its own, and inside an object. Returns the schemas of the
 * fields that are shown inside the object `group`. The keys are the fields' names in that object.
 */
export function insideShape<T extends FieldTable, G extends string>(
  fields: T,
  group: G,
): ShapeOf<ShownInside<T, G>> {
  return Object.fromEntries(
    inside(fields, group).map(([alias, , field]) => [alias, shownSchema(field)]),
  ) as ShapeOf<ShownInside<T, G>>;
}

/**
 * Returns the values for the object `group` of a record. A record shows the fields of this object twice: in
 * the object, and at its top level. The keys are the fields' names in the object.
 */
export function presentInside<T extends FieldTable, G extends string>(
  fields: T,
  group: G,
  row: Columns<T>,
): ShownInside<T, G> {
  return Object.fromEntries(
    inside(fields, group).map(([alias, name, field]) => [alias, storedValue(name, field, row)]),
  ) as ShownInside<T, G>;
}

function inside(fields: FieldTable, group: string): [alias: string, name: string, field: Field][] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const [object, alias] = field.alsoShownAs?.split(".") ?? [];
    return object === group ? [[alias!, name, field]] : [];
  });
}

function shownSchema(field: Field): z.ZodType {
  const schema = schemaOf(formatOf(field.schema));
  const value = field.isRequired || hasDefault(field) ? schema : schema.nullable();
  return value.meta({ description: helpSentence(field) });
}
