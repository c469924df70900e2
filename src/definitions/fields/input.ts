/** Schemas of request bodies and queries, derived from the definitions of fields. */
import type * as z from "zod";
import { nullAsAbsent } from "../formats/null_as_absent.ts";
import type { Field, FieldTable } from "./field.ts";

type InputSchema<F extends Field> = F extends { isRequired: true } ? F["schema"]
  : F extends { default: unknown } | { defaultFrom: string } ? ReturnType<typeof nullAsAbsent<F["schema"]>>
  : z.ZodOptional<z.ZodNullable<F["schema"]>>;

export type InputShape<T extends FieldTable> = { -readonly [N in keyof T]: InputSchema<T[N]> };

/** Returns the schema of each field, for the body of a request that creates a record. */
export function inputShape<T extends FieldTable>(fields: T): InputShape<T> {
  return mapped(fields, (field) => inputSchema(field).meta(words(field))) as InputShape<T>;
}

export type QueryShape<T extends FieldTable> = {
  -readonly [N in keyof T]: T[N] extends { default: unknown } | { defaultFrom: string }
    ? z.ZodOptional<T[N]["schema"]>
    : z.ZodOptional<z.ZodNullable<T[N]["schema"]>>;
};

/**
 * Returns the schemas of query parameters, by field. A parameter replaces the field's value for one request.
 * An empty parameter clears the value, unless the field has a default.
 */
export function queryShape<T extends FieldTable>(fields: T): QueryShape<T> {
  return mapped(fields, (field) => {
    const schema = hasDefault(field) ? field.schema : field.schema.nullable();
    return schema.optional().meta(words(field));
  }) as QueryShape<T>;
}

/** Returns the field's description in sentences; by default, its `help` as a sentence. */
export function sentences(field: Pick<Field, "help" | "description">): string {
  return field.description ?? helpSentence(field);
}

export function helpSentence({ help }: Pick<Field, "help">): string {
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}.`;
}

function inputSchema(field: Field): z.ZodType {
  const { schema, isRequired, isResetByNull } = field;
  if (isRequired) return schema;
  if (isResetByNull) {
    return schema.nullable().optional().transform((value) => value === null ? field.default : value);
  }
  return hasDefault(field) ? nullAsAbsent(schema) : schema.nullable().optional();
}

/** Returns whether a new record gets a value for the field if the request sends none. */
export function hasDefault({ default: value, defaultFrom }: Field): boolean {
  return value !== undefined || defaultFrom !== undefined;
}

function words(field: Field): { description: string; example?: unknown } {
  const description = sentences(field);
  return field.example === undefined ? { description } : { description, example: field.example };
}

function mapped<R>(fields: FieldTable, map: (field: Field) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, map(field)]));
}
