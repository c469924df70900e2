/** Defines fields for secrets that callers send with one request and that are never stored. */
import type { z } from "@hono/zod-openapi";
import { secret } from "../../definitions/formats/text.ts";

/** Accepts an age secret key (identity): `AGE-SECRET-KEY-1…`, or the whole file that `age-keygen` writes. */
export function identity(): z.ZodString {
  return secret(4000);
}
