/**
 * Options of jobs, derived from the definitions of the fields. An option is a field that agents get with its
 * value unchanged.
 */
import * as z from "zod";
import type { FieldTable, Value } from "./field.ts";
import { formatOf, schemaOf } from "./format.ts";
import { hasDefault } from "./input.ts";

/** Values of the fields that agents get, by field. */
export type Options<T extends FieldTable> = {
  -readonly [N in keyof T as T[N] extends { isSentToAgent: true } ? N : never]: Value<T[N]>;
};

/**
 * Returns the schema of options on the wire. Every option may be absent, because an older control plane
 * leaves out the fields that it does not support.
 */
export function optionsSchema<T extends FieldTable>(fields: T): z.ZodType<Partial<Options<T>>> {
  const shape = sentFields(fields).map(([name, field]) => {
    const schema = schemaOf(formatOf(field.schema));
    return [name, (hasDefault(field) ? schema : schema.nullable()).optional()];
  });
  return z.object(Object.fromEntries(shape)) as unknown as z.ZodType<Partial<Options<T>>>;
}

/** Returns the values of those fields of a record that are sent to the agent. */
export function optionsOf<T extends FieldTable>(fields: T, row: Options<T>): Options<T> {
  const values = row as Record<string, unknown>;
  return Object.fromEntries(sentFields(fields).map(([name]) => [name, values[name]])) as Options<T>;
}

/** Returns the options, with defaults for those that an older control plane has left out. */
export function completeOptions<T extends FieldTable>(
  fields: T,
  options: Partial<Options<T>> = {},
): Options<T> {
  const defaults = sentFields(fields).map(([name, field]) => [name, field.default ?? null]);
  return { ...Object.fromEntries(defaults), ...options };
}

function sentFields(fields: FieldTable) {
  return Object.entries(fields).filter(([, { isSentToAgent }]) => isSentToAgent);
}
