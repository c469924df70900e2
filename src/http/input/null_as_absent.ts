import type { z } from "@hono/zod-openapi";

/** A field that can't be empty: null, as some clients send it for what they leave out, says nothing. */
export function defaulted<S extends z.ZodType>(schema: S) {
  return schema.nullable().optional().transform((value) => value ?? undefined);
}
