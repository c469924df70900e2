/** Defines the amounts of a restore in the API. */
import { z } from "@hono/zod-openapi";

export const RestoreAmounts = z.object({
  files_count: z.int().nullable().openapi({ description: "Everything but directories." }),
  directories_count: z.int().nullable(),
  bytes: z.int().nullable(),
  databases_count: z.int().nullable(),
  rows_count: z.int().nullable().openapi({ description: "Rows in the databases." }),
}).openapi("RestoreAmounts", { description: "Null is what is not known, or what there is none of." });
