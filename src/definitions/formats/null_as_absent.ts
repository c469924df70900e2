import type * as z from "zod";

/**
 * Returns a schema that treats null as an absent value, because some clients send null for what they leave
 * out.
 */
export function nullAsAbsent<S extends z.ZodType>(schema: S) {
  return schema.nullable().optional().transform((value) => value ?? undefined);
}
