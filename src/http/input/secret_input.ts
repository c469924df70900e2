/** Secrets that callers send for one request, and that are never stored. */
import type { z } from "@hono/zod-openapi";
import { secret } from "../../definitions/formats/text.ts";

/** Accepts `AGE-SECRET-KEY-1…`, or the whole file of `age-keygen`. */
export function identity(): z.ZodString {
  return secret(4000);
}
