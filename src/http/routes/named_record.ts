/** Defines a record that another record refers to. */
import { z } from "@hono/zod-openapi";

export const NamedRecord = z.object({ id: z.int(), label: z.string() }).openapi("NamedRecord");
