/** Formats of values, derived from their schemas. */
import * as z from "zod";
import type { Field } from "./field.ts";

export type Format =
  | { readonly type: "text" | "number" | "boolean" }
  | { readonly type: "choice"; readonly choices: readonly string[] }
  | { readonly type: "list"; readonly of: Format }
  /** Entries with fixed names, each of which may be left out. */
  | { readonly type: "map"; readonly entries: Readonly<Record<string, Format>> };

export function formatOf(schema: z.ZodType): Format {
  const { def } = (schema as unknown as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return { type: "text" };
    case "number":
    case "boolean":
      return { type: def.type };
    case "enum":
      return { type: "choice", choices: Object.values(def.entries).map(String) };
    case "array":
      return { type: "list", of: formatOf(def.element as z.ZodType) };
    case "object":
      return {
        type: "map",
        entries: Object.fromEntries(
          Object.entries(def.shape).map(([name, value]) => [name, formatOf(entrySchema(value as z.ZodType))]),
        ),
      };
    default:
      throw new TypeError(`Cannot use a schema of type ${def.type} for a field. Add the type to formatOf.`);
  }
}

function entrySchema(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? schema.unwrap() as z.ZodType : schema;
}

/** Returns the placeholder for a value of the field in help texts, such as `seconds`. */
export function placeholderOf(name: string, { placeholder, schema }: Field): string {
  return placeholder ?? (/_ids?$/.test(name) ? "id" : PLACEHOLDERS[formatOf(schema).type]);
}

const PLACEHOLDERS = {
  text: "text",
  number: "number",
  boolean: "boolean",
  choice: "choice",
  list: "text",
  map: "name=value",
};

/**
 * Returns a schema for stored values of the format. The schema checks only the format, because a value might
 * have been stored before other rules were introduced.
 */
export function schemaOf(format: Format): z.ZodType {
  switch (format.type) {
    case "text":
      return z.string();
    case "number":
      return z.int();
    case "boolean":
      return z.boolean();
    case "choice":
      return z.enum(format.choices as [string, ...string[]]);
    case "list":
      return z.array(schemaOf(format.of));
    case "map":
      return z.object(
        Object.fromEntries(Object.entries(format.entries).map(([name, of]) => [name, schemaOf(of)])),
      );
  }
}
