/** Secrets that callers give for one call and that are stored nowhere. */
import type { z } from "@hono/zod-openapi";
import { secret } from "../../definitions/formats/text.ts";

/** `AGE-SECRET-KEY-1…`, or the whole file of `age-keygen`. */
export function identity(): z.ZodString {
  return secret(4000);
}
