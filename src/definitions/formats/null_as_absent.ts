import type * as z from "zod";

/** Accepts null, which some clients send for what they leave out, as an absent value. */
export function nullAsAbsent<S extends z.ZodType>(schema: S) {
  return schema.nullable().optional().transform((value) => value ?? undefined);
}
