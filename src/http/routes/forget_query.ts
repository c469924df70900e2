/** The parameter of deletions that leaves the objects alone, for places that are gone for good. */
import { z } from "@hono/zod-openapi";

/** Of the `status` of lists whose records go to the trash. */
export const TRASH = {
  description: "`trash`: what was deleted and can still be taken back.",
  example: "trash",
};

export const ForgetQuery = z.object({
  forget: z.boolean().default(false).openapi({
    description:
      "For a place that is gone for good. Records of backups are dropped and their objects are left as they are: nothing is " +
      "asked of the place. They are in the trash until `deletes_at`, and shown nowhere else.",
    example: true,
  }),
});
